//! Says what a TIFF file tells of the time between its frames: ImageJ's interval, OME's increment, OME's times of planes.
//!
//! The times of planes (`DeltaT`) come from a clock, so that a step may differ from the mean by a twentieth, as in tracks;
//! of the planes of one time the earliest counts.

use super::super::axes::attribute;
use glauber_files::rounded;
use quick_xml::Reader;
use quick_xml::events::Event;
use std::collections::{BTreeMap, BTreeSet};

/// How far a step may be from the mean, as a part of it, where frames are evenly spaced.
const JITTER: f64 = 0.05;

/// A sentence on the time between frames, where the file tells of it.
pub(super) fn note_of_interval(description: &str) -> Option<String> {
    let even = |program: &str, said: String| {
        format!(
            "{program} says that a frame takes {said}, which was not read: `data.interval` and `data.step-time` say it"
        )
    };
    if let Some(interval) = imagej(description) {
        return Some(even("ImageJ", interval));
    }
    let (increment, times) = description.contains("<OME").then(|| ome(description))??;
    match (increment, times) {
        (_, Some(Times { steps: [least, most], even: false, unit, .. })) => Some(format!(
            "OME says that its frames are {} to {} {unit} apart (DeltaT of its planes), which is uneven: they were taken for \
             evenly spaced; leave out frames, or give an array with the step of each (NPZ, `times`), where that is not meant",
            rounded(least),
            rounded(most)
        )),
        (Some((length, unit)), Some(times)) if !times.is_like(length, &unit) => Some(even(
            "OME",
            format!("{} {unit}, but by the times of its planes (DeltaT) {}", rounded(length), times.words()),
        )),
        (Some((length, unit)), _) => Some(even("OME", format!("{} {unit}", rounded(length)))),
        (None, Some(times)) => {
            Some(even("OME", format!("{} by the times of its planes (DeltaT)", times.words())))
        }
        (None, None) => None,
    }
}

/// The time between frames in ImageJ's description, with its unit.
fn imagej(description: &str) -> Option<String> {
    let text = description.strip_prefix("ImageJ=")?;
    let value =
        |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(str::trim);
    let interval = positive(value("finterval")?)?;
    Some(format!("{} {}", rounded(interval), value("tunit").unwrap_or("s")))
}

fn positive(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0)
}

/// What the times of planes say.
struct Times {
    /// The mean step.
    mean: f64,
    /// The shortest and the longest.
    steps: [f64; 2],
    even: bool,
    unit: String,
}

impl Times {
    /// The steps between times of frames by their numbers.
    fn of(times: &BTreeMap<usize, f64>, units: &BTreeSet<String>) -> Option<Times> {
        let (first, last) = (times.first_key_value()?, times.last_key_value()?);
        let mean = (last.1 - first.1) / last.0.checked_sub(*first.0).filter(|n| *n > 0)? as f64;
        let each = times.iter().zip(times.iter().skip(1)).map(|(a, b)| (b.1 - a.1) / (b.0 - a.0) as f64);
        let [least, most] = each
            .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], step| [low.min(step), high.max(step)]);
        let even = mean > 0.0 && (most - mean).max(mean - least) <= JITTER * mean && units.len() == 1;
        let unit = units.iter().map(String::as_str).collect::<Vec<_>>().join(" or ");
        Some(Times { mean, steps: [least, most], even, unit })
    }

    fn is_like(&self, length: f64, unit: &str) -> bool {
        unit != self.unit || (self.mean / length - 1.0).abs() <= JITTER
    }

    fn words(&self) -> String {
        let [least, most] = self.steps;
        let worst = 100.0 * (most - self.mean).max(self.mean - least) / self.mean;
        let off = if worst >= 0.1 { format!(", each to {worst:.1} %") } else { String::new() };
        format!("{} {}{off}", rounded(self.mean), self.unit)
    }
}

type Increment = (f64, String);

/// The increment of the first image in OME metadata with its unit, seconds where none is named, and the times of its planes.
fn ome(description: &str) -> Option<(Option<Increment>, Option<Times>)> {
    let mut reader = Reader::from_str(description);
    let (mut increment, mut times, mut units) = (None, BTreeMap::new(), BTreeSet::new());
    let mut images = 0;
    loop {
        let element = match reader.read_event().ok()? {
            Event::Start(element) | Event::Empty(element) => element,
            Event::Eof => break,
            _ => continue,
        };
        let said = |name: &str| attribute(&element, name);
        let unit = |name: &str| said(name).map_or("s".to_owned(), |unit| unit.trim().to_owned());
        match element.local_name().as_ref() {
            "Pixels" => {
                images += 1;
                if images > 1 {
                    break;
                }
                let length = said("TimeIncrement").and_then(|text| positive(&text));
                increment = length.map(|length| (length, unit("TimeIncrementUnit")));
            }
            "Plane" => {
                let time = said("DeltaT").and_then(|text| text.trim().parse::<f64>().ok());
                let frame = said("TheT").and_then(|text| text.trim().parse::<usize>().ok());
                if let (Some(time), Some(frame)) = (time.filter(|time| time.is_finite()), frame) {
                    let earliest = times.entry(frame).or_insert(time);
                    *earliest = time.min(*earliest);
                    units.insert(unit("DeltaTUnit"));
                }
            }
            _ => {}
        }
    }
    Some((increment, Times::of(&times, &units)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pixels: &str, planes: &str) -> Option<String> {
        note_of_interval(&format!(
            "<?xml version='1.0'?><OME><Image><Pixels{pixels}>{planes}</Pixels></Image></OME>"
        ))
    }

    /// Planes of two channels at these times, of which the second is later.
    fn planes(times: &[f64], unit: &str) -> String {
        let one = |(frame, time): (usize, &f64)| {
            format!(
                "<Plane TheC='0' TheZ='0' TheT='{frame}' DeltaT='{time}'{unit}/><Plane TheC='1' TheT='{frame}' DeltaT='{}'{unit}/>",
                time + 3.0
            )
        };
        times.iter().enumerate().map(one).collect()
    }

    #[test]
    fn omes_time_between_frames_is_seen() {
        let said =
            told(" SizeT=\"3\" TimeIncrement=\"2.0\" TimeIncrementUnit=\"min\"", "").unwrap_or_default();
        assert!(said.starts_with("OME says that a frame takes 2 min, which was not read"), "{said}");
        assert!(told(" TimeIncrement='0.5'", "").unwrap_or_default().contains("takes 0.5 s,"));
        for none in ["", " TimeIncrement=\"0\"", " TimeIncrement=\"\"", " TimeIncrementUnit=\"s\""] {
            assert_eq!(told(none, ""), None, "{none}");
        }
        assert_eq!(note_of_interval("a TimeIncrement=\"2.0\""), None);
        let imagej = "ImageJ=1.53\nfinterval=2.5\ntunit=min\n";
        assert!(
            note_of_interval(imagej)
                .unwrap_or_default()
                .starts_with("ImageJ says that a frame takes 2.5 min")
        );
    }

    #[test]
    fn the_times_of_planes_say_the_interval_or_that_there_is_none() {
        let ms = " DeltaTUnit='ms'";
        for (times, unit, words) in [
            (&[0.0, 10.0, 20.0, 30.0][..], "", "a frame takes 10 s by the times of its planes"),
            (&[5.0, 15.2, 25.0, 35.0], ms, "a frame takes 10 ms, each to 2.0 % by the times"),
            (&[0.0, 10.0, 20.0, 40.0], ms, "its frames are 10 to 20 ms apart"),
            (&[0.0, 10.0, 5.0], "", "its frames are -5 to 10 s apart"),
        ] {
            let said = told(" SizeT='4'", &planes(times, unit)).unwrap_or_default();
            assert!(said.contains(words), "{said}");
        }
        // A time that is missing is a longer step of several frames.
        let gap = "<Plane TheT='0' DeltaT='0'/><Plane TheT='1' DeltaT='2'/><Plane TheT='4' DeltaT='8'/>";
        assert!(told("", gap).unwrap_or_default().contains("takes 2 s by"));
        let units = "<Plane TheT='0' DeltaT='0' DeltaTUnit='s'/><Plane TheT='1' DeltaT='2' DeltaTUnit='ms'/>";
        assert!(told("", units).unwrap_or_default().contains("2 to 2 ms or s apart"));
        assert_eq!(told("", "<Plane TheT='0' DeltaT='7'/>"), None);
        // The increment that was asked for, and the times that came out.
        let both = |times: &[f64]| told(" TimeIncrement='10'", &planes(times, "")).unwrap_or_default();
        assert!(both(&[0.0, 10.1, 20.0]).contains("takes 10 s, which"));
        assert!(
            both(&[0.0, 14.0, 28.0]).contains("takes 10 s, but by the times of its planes (DeltaT) 14 s")
        );
        assert!(both(&[0.0, 14.0, 42.0]).contains("is uneven"));
        // Another image's planes are not of the first.
        let other = told(
            "",
            "</Pixels></Image><Image><Pixels TimeIncrement='3'><Plane TheT='0' DeltaT='0'/><Plane TheT='1' DeltaT='2'/>",
        );
        assert_eq!(other, None);
    }
}
