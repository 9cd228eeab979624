//! Reads TIFF files: the container itself, so that every number is the one that was written.
//!
//! The modules in the order data flows:
//!
//! - `directory` reads the header, the directories and their tags, each length checked against the file;
//! - `layout` says from the tags how a plane's samples lie in the file, or why they are not read;
//! - `unpack` undoes the compression of a strip or tile;
//! - `samples` undoes prediction and byte order, and puts the samples of strips and tiles where they belong;
//! - `scaling` reads the scale and offset that GDAL and ImageJ give;
//! - `interval` says what the file tells of the time between frames;
//! - `foreign` leaves JPEG and fax to the decoder of the `tiff` crate;
//! - `stack` reads all planes.
//!
//! Read: classic and BigTIFF, both byte and bit orders, strips and tiles, interleaved and separate samples; 1 to 16, 24,
//! 32 and 64 bits, signed, half, single and double precision; uncompressed, PackBits, LZW, Deflate, with the
//! horizontal and the floating-point predictor; JPEG and fax where the `tiff` crate reads them.
//! Reference: Adobe, TIFF 6.0 (1992), its Technical Notes 1–3, and Aware Systems' BigTIFF description.
//!
//! Departure: PhotometricInterpretation 0 (white is zero) turns no number around, as in ImageJ and tifffile and
//! unlike Pillow; it is said in a note.

mod directory;
mod foreign;
mod interval;
mod layout;
mod samples;
mod scaling;
mod stack;
mod unpack;

pub(super) use stack::TIFF;
