//! Where things are: shapes, boundaries, neighbourhoods, fields of values.
