//! Writes masks and labels that other programs open: 8-bit PNG and TIFF of 16 or 32 bits, whole or not at all.

use crate::{DataError, DataErrorKind, Overwrite, WholeFile};
use std::path::Path;
use tiff::encoder::colortype::{ColorType, Gray16, Gray32};
use tiff::encoder::{TiffEncoder, TiffValue};
use tiff::tags::Tag;

/// Writes a mask as an 8-bit grey PNG, 255 where it is true, row by row from the top.
///
/// # Errors
/// If there are not `height × width` values, the file exists and is not to be replaced, or cannot be written.
pub fn write_mask_png(
    path: impl AsRef<Path>,
    height: usize,
    width: usize,
    mask: &[bool],
    overwrite: Overwrite,
) -> Result<(), DataError> {
    let grey: Vec<u8> = mask.iter().map(|&m| if m { 255 } else { 0 }).collect();
    write_grey_png(path, height, width, &grey, overwrite)
}

/// Writes an 8-bit grey PNG, row by row from the top.
///
/// # Errors
/// Those of [`write_mask_png`].
pub fn write_grey_png(
    path: impl AsRef<Path>,
    height: usize,
    width: usize,
    grey: &[u8],
    overwrite: Overwrite,
) -> Result<(), DataError> {
    let path = path.as_ref();
    let (height, width) = check(path, 1, height, width, grey.len())?;
    let mut file = WholeFile::create(path, overwrite)?;
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(grey)?;
        writer.finish()
    });
    written.map_err(|e| refused(path, &e))?;
    file.finish()
}

/// Writes labels as an uncompressed 16-bit grey TIFF of one or more planes, which ImageJ and napari open as it is.
///
/// `labels` are `planes × height × width` values, plane by plane, row by row from the top.
///
/// # Errors
/// If there are not as many values, they would take 4 GiB or more, the file exists and is not to be replaced, or
/// cannot be written.
pub fn write_labels_tiff(
    path: impl AsRef<Path>,
    planes: usize,
    height: usize,
    width: usize,
    labels: &[u16],
    overwrite: Overwrite,
) -> Result<(), DataError> {
    let extent = StackExtent { frames: planes, slices: 1, height, width };
    write_stack::<Gray16>(path.as_ref(), extent, labels, overwrite)
}

/// How large a stack is: every frame has its slices, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackExtent {
    /// Moments in time.
    pub frames: usize,
    /// Slices of a moment; 1 of a plane.
    pub slices: usize,
    /// Rows of a slice.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

/// Writes labels over time as an uncompressed grey TIFF, of 16 bits where they all fit, else of 32; ImageJ's description says
/// which pages are frames and which slices. `labels` are frame by frame, slice by slice, row by row from the top.
///
/// # Errors
/// Those of [`write_labels_tiff`].
///
/// ```
/// use glauber_data::{Overwrite, images::{ImageLimits, StackExtent, read_images, write_label_stack}};
/// let folder = tempfile::tempdir()?;
/// let extent = StackExtent { frames: 3, slices: 1, height: 1, width: 2 };
/// write_label_stack(folder.path().join("labels.tif"), extent, &[0, 1, 1, 1, 1, 70_000], Overwrite::Refuse)?;
/// let read = read_images(folder.path().join("labels.tif"), ImageLimits::default())?;
/// assert_eq!(read.planes(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_label_stack(
    path: impl AsRef<Path>,
    extent: StackExtent,
    labels: &[u32],
    overwrite: Overwrite,
) -> Result<(), DataError> {
    let narrow: Option<Vec<u16>> = labels.iter().map(|label| u16::try_from(*label).ok()).collect();
    match narrow {
        Some(narrow) => write_stack::<Gray16>(path.as_ref(), extent, &narrow, overwrite),
        None => write_stack::<Gray32>(path.as_ref(), extent, labels, overwrite),
    }
}

fn write_stack<C: ColorType>(
    path: &Path,
    extent: StackExtent,
    labels: &[C::Inner],
    overwrite: Overwrite,
) -> Result<(), DataError>
where
    [C::Inner]: TiffValue,
{
    let StackExtent { frames, slices, height, width } = extent;
    let planes = frames.saturating_mul(slices);
    let (rows, columns) = check(path, planes, height, width, labels.len())?;
    // Offsets in a plain TIFF have 32 bits; a kilobyte a plane is room for its directory.
    if std::mem::size_of_val(labels) as u64 + planes as u64 * 1024 > u64::from(u32::MAX) {
        let found = "would take more than the 4 GiB a TIFF file can hold";
        return Err(DataError::new(DataErrorKind::TooLarge, path, found, "write it as NPZ, or in parts"));
    }
    let mut file = WholeFile::create(path, overwrite)?;
    let written = (|| {
        let mut encoder = TiffEncoder::new(&mut file)?;
        for (index, plane) in labels.chunks_exact(height * width).enumerate() {
            let mut image = encoder.new_image::<C>(columns, rows)?;
            if index == 0 && planes > 1 {
                // ImageJ takes planes for a stack in time only if told so.
                let volumes = if slices > 1 { format!("slices={slices}\n") } else { String::new() };
                let hyperstack = if slices > 1 { "hyperstack=true\n" } else { "" };
                let description = format!(
                    "ImageJ=1.54\nimages={planes}\n{volumes}frames={frames}\n{hyperstack}loop=false\n"
                );
                image.encoder().write_tag(Tag::ImageDescription, description.as_str())?;
            }
            image.write_data(plane)?;
        }
        Ok::<(), tiff::TiffError>(())
    })();
    written.map_err(|e| refused(path, &e))?;
    file.finish()
}

fn check(
    path: &Path,
    planes: usize,
    height: usize,
    width: usize,
    values: usize,
) -> Result<(u32, u32), DataError> {
    let holds = planes.checked_mul(height).and_then(|n| n.checked_mul(width));
    let sides = (u32::try_from(height), u32::try_from(width));
    match (holds, sides) {
        (Some(holds), (Ok(rows), Ok(columns))) if holds == values && holds > 0 => Ok((rows, columns)),
        _ => {
            let found = format!("{values} values do not make {planes} × {height} × {width} pixels");
            Err(DataError::new(
                DataErrorKind::Value,
                path,
                found,
                "give one value a pixel, and at least one pixel",
            ))
        }
    }
}

fn refused(path: &Path, error: &dyn std::fmt::Display) -> DataError {
    DataError::new(DataErrorKind::Io, path, format!("cannot write it: {error}"), "check the disk it is on")
}
