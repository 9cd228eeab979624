//! Holds the elements of an array in the type they have in the file.

use std::fmt;

/// Calls `$body` with `$v` bound to the vector or slice inside `$values`, whatever its element type.
macro_rules! for_each_type {
    ($enum:ident, $values:expr, $v:ident => $body:expr) => {
        match $values {
            $enum::Bool($v) => $body,
            $enum::U8($v) => $body,
            $enum::I8($v) => $body,
            $enum::U16($v) => $body,
            $enum::I16($v) => $body,
            $enum::U32($v) => $body,
            $enum::I32($v) => $body,
            $enum::U64($v) => $body,
            $enum::I64($v) => $body,
            $enum::F32($v) => $body,
            $enum::F64($v) => $body,
        }
    };
}
pub(super) use for_each_type;

/// The type of an array's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ElementType {
    /// True or false, one byte.
    Bool,
    /// Unsigned, 8 bits.
    U8,
    /// Signed, 8 bits.
    I8,
    /// Unsigned, 16 bits.
    U16,
    /// Signed, 16 bits.
    I16,
    /// Unsigned, 32 bits.
    U32,
    /// Signed, 32 bits.
    I32,
    /// Unsigned, 64 bits.
    U64,
    /// Signed, 64 bits.
    I64,
    /// Real, 32 bits.
    F32,
    /// Real, 64 bits.
    F64,
}

impl ElementType {
    /// Bytes an element takes in a file.
    pub fn bytes(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// NumPy's name of the type, e.g. `uint8`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::U8 => "uint8",
            Self::I8 => "int8",
            Self::U16 => "uint16",
            Self::I16 => "int16",
            Self::U32 => "uint32",
            Self::I32 => "int32",
            Self::U64 => "uint64",
            Self::I64 => "int64",
            Self::F32 => "float32",
            Self::F64 => "float64",
        }
    }

    /// Whether its values are whole numbers (bool counts as 0 and 1).
    pub fn is_integer(self) -> bool {
        !matches!(self, Self::F32 | Self::F64)
    }

    /// An empty vector of this type.
    pub(super) fn empty(self) -> Values {
        match self {
            Self::Bool => Values::Bool(Vec::new()),
            Self::U8 => Values::U8(Vec::new()),
            Self::I8 => Values::I8(Vec::new()),
            Self::U16 => Values::U16(Vec::new()),
            Self::I16 => Values::I16(Vec::new()),
            Self::U32 => Values::U32(Vec::new()),
            Self::I32 => Values::I32(Vec::new()),
            Self::U64 => Values::U64(Vec::new()),
            Self::I64 => Values::I64(Vec::new()),
            Self::F32 => Values::F32(Vec::new()),
            Self::F64 => Values::F64(Vec::new()),
        }
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The elements of an array, owned.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // The variants are those of `ElementType`.
pub enum Values {
    Bool(Vec<bool>),
    U8(Vec<u8>),
    I8(Vec<i8>),
    U16(Vec<u16>),
    I16(Vec<i16>),
    U32(Vec<u32>),
    I32(Vec<i32>),
    U64(Vec<u64>),
    I64(Vec<i64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

/// The elements of an array, borrowed: what a writer takes, so that nothing is copied.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)] // The variants are those of `ElementType`.
pub enum Slice<'a> {
    Bool(&'a [bool]),
    U8(&'a [u8]),
    I8(&'a [i8]),
    U16(&'a [u16]),
    I16(&'a [i16]),
    U32(&'a [u32]),
    I32(&'a [i32]),
    U64(&'a [u64]),
    I64(&'a [i64]),
    F32(&'a [f32]),
    F64(&'a [f64]),
}

/// A number that an array may hold, as `f64`.
pub(super) trait Number: Copy {
    fn real(self) -> f64;
}

/// Writes what differs between the element types only in their names.
macro_rules! numbers {
    ($($variant:ident $type:ty),*) => {
        $(
            impl From<Vec<$type>> for Values {
                fn from(values: Vec<$type>) -> Self {
                    Self::$variant(values)
                }
            }
            impl<'a> From<&'a [$type]> for Slice<'a> {
                fn from(values: &'a [$type]) -> Self {
                    Self::$variant(values)
                }
            }
            impl<'a> From<&'a Vec<$type>> for Slice<'a> {
                fn from(values: &'a Vec<$type>) -> Self {
                    Self::$variant(values)
                }
            }
        )*
        impl Values {
            /// The type of the elements.
            pub fn element_type(&self) -> ElementType {
                match self { $(Self::$variant(_) => ElementType::$variant),* }
            }

            /// The same elements, borrowed.
            pub fn as_slice(&self) -> Slice<'_> {
                match self { $(Self::$variant(v) => Slice::$variant(v)),* }
            }
        }
        impl Slice<'_> {
            /// The type of the elements.
            pub fn element_type(&self) -> ElementType {
                match self { $(Self::$variant(_) => ElementType::$variant),* }
            }

            /// The same elements, owned.
            pub fn to_values(&self) -> Values {
                match self { $(Self::$variant(v) => Values::$variant(v.to_vec())),* }
            }
        }
    };
}
numbers!(Bool bool, U8 u8, I8 i8, U16 u16, I16 i16, U32 u32, I32 i32, U64 u64, I64 i64, F32 f32, F64 f64);

macro_rules! reals {
    ($($type:ty),*) => { $(impl Number for $type { fn real(self) -> f64 { self as f64 } })* };
}
reals!(u8, i8, u16, i16, u32, i32, u64, i64, f32, f64);

impl Number for bool {
    fn real(self) -> f64 {
        f64::from(u8::from(self))
    }
}

impl Values {
    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at a flat index in C order as `f64` (true is 1); none if there is no such element.
    pub fn get(&self, index: usize) -> Option<f64> {
        self.as_slice().get(index)
    }

    /// All elements as `f64` (true is 1); 64-bit integers beyond 2⁵³ are rounded.
    pub fn to_f64(&self) -> Vec<f64> {
        self.as_slice().to_f64()
    }
}

impl Slice<'_> {
    /// How many elements there are.
    pub fn len(&self) -> usize {
        for_each_type!(Slice, self, v => v.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at a flat index as `f64` (true is 1); none if there is no such element.
    pub fn get(&self, index: usize) -> Option<f64> {
        for_each_type!(Slice, self, v => v.get(index).map(|x| x.real()))
    }

    /// All elements as `f64` (true is 1); 64-bit integers beyond 2⁵³ are rounded.
    pub fn to_f64(&self) -> Vec<f64> {
        for_each_type!(Slice, self, v => v.iter().map(|x| x.real()).collect())
    }

    /// All elements as `f32` (true is 1), rounded to the nearest.
    pub fn to_f32(&self) -> Vec<f32> {
        for_each_type!(Slice, self, v => v.iter().map(|x| x.real() as f32).collect())
    }
}
