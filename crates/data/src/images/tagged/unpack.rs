//! Undoes the compression of a strip or tile.

use super::super::refusal::Refusal;
use std::io::Read;
use weezl::{BitOrder, LzwStatus, decode};

const NONE: u64 = 1;
const LZW: u64 = 5;
const DEFLATE: [u64; 2] = [8, 32946];
const PACK_BITS: u64 = 32773;

/// Compressions that are left to the `tiff` crate: fax (2 to 4) and JPEG.
pub(super) const FOREIGN: [u64; 4] = [2, 3, 4, 7];

/// The bytes of a strip or tile, `length` of them, as they were before they were compressed.
///
/// # Errors
/// If the compression is not read, or the bytes are not what it makes.
pub(super) fn unpack(compression: u64, packed: Vec<u8>, length: usize) -> Result<Vec<u8>, Refusal> {
    let unpacked = match compression {
        NONE => packed,
        LZW => lzw(&packed, length)?,
        c if DEFLATE.contains(&c) => deflate(&packed, length)?,
        PACK_BITS => pack_bits(&packed, length),
        other => return Err(not_read(other)),
    };
    if unpacked.len() < length {
        return Err(Refusal::truncated());
    }
    Ok(unpacked)
}

/// Whether the bytes are as they were, so that a plane can be found by its place alone.
pub(super) fn is_plain(compression: u64) -> bool {
    compression == NONE
}

/// # Errors
/// For a compression that is not read, with its name.
pub(super) fn check(compression: u64) -> Result<(), Refusal> {
    let known = [NONE, LZW, PACK_BITS];
    let read = known.iter().chain(&DEFLATE).chain(&FOREIGN).any(|known| *known == compression);
    if read { Ok(()) } else { Err(not_read(compression)) }
}

fn not_read(compression: u64) -> Refusal {
    let name = match compression {
        6 => "old-style JPEG",
        34712 | 33003 | 33004 | 33005 => "JPEG 2000",
        34887 => "LERC",
        34925 => "LZMA",
        50000 | 34926 => "ZSTD",
        50001 => "WebP",
        50002 | 52546 => "JPEG XL",
        22610 | 34892 => "JPEG XR",
        32809 => "ThunderScan",
        _ => "",
    };
    let found = match name {
        "" => format!("is compressed by the unknown method {compression}"),
        name => format!("is compressed by {name}"),
    };
    Refusal::unsupported(found, "save it without compression, or with LZW or Deflate")
}

fn deflate(packed: &[u8], length: usize) -> Result<Vec<u8>, Refusal> {
    let mut unpacked = Vec::new();
    let read = flate2::read::ZlibDecoder::new(packed).take(length as u64).read_to_end(&mut unpacked);
    match read {
        Err(e) if e.kind() != std::io::ErrorKind::UnexpectedEof => {
            Err(Refusal::damaged(format!("has a strip that Deflate did not make: {e}")))
        }
        _ => Ok(unpacked),
    }
}

fn lzw(packed: &[u8], length: usize) -> Result<Vec<u8>, Refusal> {
    if let [0, second, ..] = packed
        && second & 1 == 1
    {
        let found = "is compressed by the LZW of before 1992, with its bits in the other order";
        return Err(Refusal::unsupported(found, "save it again with LZW or Deflate"));
    }
    let configuration =
        decode::Configuration::with_tiff_size_switch(BitOrder::Msb, 8).with_yield_on_full_buffer(true);
    let mut decoder = configuration.build();
    let mut unpacked = Vec::new();
    let mut block = vec![0; length.clamp(1, 1 << 16)];
    let mut rest = packed;
    while unpacked.len() < length {
        let wanted = block.len().min(length - unpacked.len());
        let result = decoder.decode_bytes(rest, &mut block[..wanted]);
        unpacked.extend_from_slice(&block[..result.consumed_out]);
        rest = &rest[result.consumed_in..];
        match result.status {
            Ok(LzwStatus::Ok) if result.consumed_in > 0 || result.consumed_out > 0 => {}
            Ok(_) => break,
            Err(e) => return Err(Refusal::damaged(format!("has a strip that LZW did not make: {e}"))),
        }
    }
    Ok(unpacked)
}

/// Runs of a repeated byte, and bytes as they are. What is missing is left to the caller to find.
fn pack_bits(packed: &[u8], length: usize) -> Vec<u8> {
    let mut unpacked = Vec::new();
    let mut rest = packed;
    while unpacked.len() < length {
        let Some((&head, after)) = rest.split_first() else { break };
        match head as i8 {
            -128 => rest = after,
            n if n >= 0 => {
                let count = (n as usize + 1).min(after.len());
                unpacked.extend_from_slice(&after[..count]);
                rest = &after[count..];
            }
            n => {
                let Some((&byte, after)) = after.split_first() else { break };
                unpacked.extend(std::iter::repeat_n(byte, 1 + n.unsigned_abs() as usize));
                rest = after;
            }
        }
    }
    unpacked
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn pack_bits_follows_the_specifications_example() {
        let packed =
            [0xFE, 0xAA, 0x02, 0x80, 0x00, 0x2A, 0xFD, 0xAA, 0x03, 0x80, 0x00, 0x2A, 0x22, 0xF7, 0xAA];
        let plain = [
            0xAA, 0xAA, 0xAA, 0x80, 0x00, 0x2A, 0xAA, 0xAA, 0xAA, 0xAA, 0x80, 0x00, 0x2A, 0x22, 0xAA, 0xAA,
            0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA,
        ];
        assert_eq!(unpack(PACK_BITS, packed.to_vec(), 24).unwrap(), plain);
        assert!(unpack(PACK_BITS, packed[..8].to_vec(), 24).is_err());
    }

    #[test]
    fn compressions_that_are_not_read_are_named_with_those_that_are() {
        let error = unpack(50000, Vec::new(), 1).unwrap_err().in_file(std::path::Path::new("a.tif"));
        assert!(error.to_string().contains("ZSTD") && error.remedy().contains("LZW or Deflate"), "{error}");
    }
}
