//! Reads amounts of memory as people write them: "1 GiB", "500 MB", 4096.

/// An amount of memory in bytes, above 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemorySize(pub u64);

const UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KIB", 1 << 10),
    ("MIB", 1 << 20),
    ("GIB", 1 << 30),
    ("TIB", 1 << 40),
];

impl std::str::FromStr for MemorySize {
    type Err = String;

    /// A number with a unit, in capitals or not, with a space or not; bytes without one.
    ///
    /// ```
    /// use glauber_files::MemorySize;
    /// assert_eq!("1.5 GiB".parse(), Ok(MemorySize(3 << 29)));
    /// assert_eq!("500mb".parse(), Ok(MemorySize(500_000_000)));
    /// assert!("much".parse::<MemorySize>().is_err());
    /// ```
    fn from_str(text: &str) -> Result<MemorySize, String> {
        let wanted = || format!("\"{text}\" is no amount of memory: write it like \"1 GiB\" or \"500 MB\"");
        let trimmed = text.trim();
        let split = trimmed.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(split);
        let unit = unit.trim().to_ascii_uppercase();
        let number = crate::number(number).ok_or_else(wanted)?;
        let scale = if unit.is_empty() {
            Some(1)
        } else {
            UNITS.iter().find(|(name, _)| *name == unit).map(|(_, scale)| *scale)
        };
        let bytes = number * scale.ok_or_else(wanted)? as f64;
        if (1.0..9e18).contains(&bytes) { Ok(MemorySize(bytes as u64)) } else { Err(wanted()) }
    }
}

impl std::fmt::Display for MemorySize {
    /// In the largest binary unit of which it is a whole number.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let binary = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
        match binary.iter().find(|(_, bits)| self.0 >> bits << bits == self.0) {
            Some((unit, bits)) => write!(f, "{} {unit}", self.0 >> bits),
            None => write!(f, "{} B", self.0),
        }
    }
}

impl serde::Serialize for MemorySize {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written() {
        for (text, bytes) in [
            ("1 GiB", 1 << 30),
            ("2kib", 2048),
            ("10 B", 10),
            ("7", 7),
            ("0.5 MB", 500_000),
            (" 3 TB ", 3_000_000_000_000),
        ] {
            let size: MemorySize = text.parse().unwrap();
            assert_eq!(size.0, bytes, "{text}");
            assert_eq!(size.to_string().parse::<MemorySize>().unwrap(), size);
        }
        assert_eq!(MemorySize(3 << 29).to_string(), "1536 MiB");
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in [
            "",
            "GiB",
            "0",
            "0 GiB",
            "-1 GiB",
            "1 GiG",
            "1e300 B",
            "9999999999 TiB",
            "1 2 GiB",
            "NaN",
            "inf MB",
            "1..2 B",
        ] {
            assert!(text.parse::<MemorySize>().is_err(), "{text}");
        }
    }
}
