//! Reads tables of text as programs and spreadsheets write them: separators, headers, decimal commas, encodings.
//!
//! The modules in the order data flows:
//!
//! - `text` makes text of bytes;
//! - `records` splits text into records of fields;
//! - `layout` finds separator, header and first row;
//! - `sheet` hands out the rows, checked against the header, and reads their numbers.

mod layout;
mod records;
mod sheet;
mod text;

pub(crate) use layout::{NoLayout, is_number, numeral};
pub(crate) use records::Comment;
pub(crate) use sheet::{Sheet, is_missing, named_twice, read_text};
