//! Makes the mean squared displacement of a fit file's tracks: those that are long enough, along the model's axes.

use std::path::Path;

use glauber_program::Model;

use super::words::{name_of_data, notes_about};
use crate::error::JobError;
use crate::fit_file::{ColumnName, FitFile};
use glauber_data::tracks::{
    Bootstrap, Column, Columns, Face, MsdCurve, Track, TrackOptions, Tracks, mean_squared_displacement,
    read_tracks, tracks_of_table, usual_lags,
};

/// The mean squared displacement of real tracks.
pub(super) struct TracksCurve {
    /// With bootstrap errors.
    pub(super) curve: MsdCurve,
    /// How its lags are correlated over the tracks; nothing of one track.
    pub(super) correlations: Option<Vec<f64>>,
    /// What is to be known of the tracks.
    pub(super) notes: Vec<String>,
}

/// The mean squared displacement of real tracks, with bootstrap errors.
pub(super) fn tracks_curve(file: &FitFile, model: &Model, path: &Path) -> Result<TracksCurve, JobError> {
    let data = &file.data;
    let column = |c: &Option<ColumnName>| {
        c.as_ref().map(|c| match c {
            ColumnName::Name(name) => Column::Name(name.clone()),
            ColumnName::Number(number) => Column::Number(*number as usize),
        })
    };
    let options = TrackOptions {
        columns: Columns {
            id: column(&data.columns.id),
            time: column(&data.columns.time),
            x: column(&data.columns.x),
            y: column(&data.columns.y),
            z: column(&data.columns.z),
            group: column(&data.columns.group),
        },
        interval: *data.interval,
        length_unit: (*data.length_unit).clone(),
        time_unit: (*data.time_unit).clone(),
        face: Face::FitFile,
        ..TrackOptions::default()
    };
    let name = name_of_data(file, path);
    let tracks = match &file.given.tracks {
        Some(table) => tracks_of_table(table, &name, &options)?,
        None => read_tracks(path, &options)?,
    };
    let said = notes_about(Path::new(&name), tracks.notes());
    curve_of(file, model, &name, tracks).map_err(|error| error.after(said))
}

/// The curve of the tracks that were read from what is called `name`.
fn curve_of(file: &FitFile, model: &Model, name: &str, tracks: Tracks) -> Result<TracksCurve, JobError> {
    let data = &file.data;
    let tracks = projected(file, model, chosen(file, tracks)?)?;
    let lags = data.lags.map_or(usual_lags(&tracks), |lags| lags.min(u64::from(u32::MAX)) as u32);
    let replicates = data.bootstrap.map_or(Bootstrap::default().replicates, |n| n.min(100_000) as u32);
    let curve = mean_squared_displacement(&tracks, lags, Bootstrap { replicates, seed: file.run.seed });
    let curve = curve.map_err(|e| file.wrong("data.lags", format!("{name}: {e}")))?;
    let columns = tracks.columns_in_words().into_iter().map(|words| format!("read {words}"));
    let notes: Vec<String> = columns.chain(tracks.notes().iter().chain(curve.notes()).cloned()).collect();
    let correlations = correlations(&tracks, &curve);
    Ok(TracksCurve { curve, correlations, notes: notes_about(Path::new(name), &notes) })
}

/// How the lags of a curve are correlated, \[lag\]\[lag\], tracks being independent: a value is a ratio of sums over tracks, and
/// what a track adds to it is (squares − value · number) over the number of all (linearised; Cochran 1977, chapter 6).
fn correlations(tracks: &Tracks, curve: &MsdCurve) -> Option<Vec<f64>> {
    let points = curve.points();
    let added: Vec<Vec<f64>> = tracks
        .tracks()
        .iter()
        .map(|track| {
            let mut own = vec![0.0; points.len()];
            for (i, at) in track.frames().iter().enumerate() {
                for (j, later) in track.frames().iter().enumerate().skip(i + 1) {
                    if let Some(place) = points.iter().position(|p| p.lag == later - at) {
                        let pair = track.positions()[i].iter().zip(&track.positions()[j]);
                        own[place] += pair.map(|(a, b)| (a - b) * (a - b)).sum::<f64>() - points[place].value;
                    }
                }
            }
            own
        })
        .collect();
    if added.len() < 2 {
        return None;
    }
    let product = |w: usize, v: usize| added.iter().map(|own| own[w] * own[v]).sum::<f64>();
    let own: Vec<f64> = (0..points.len()).map(|w| product(w, w).sqrt()).collect();
    let each = (0..points.len() * points.len()).map(|place| {
        let (w, v) = (place / points.len(), place % points.len());
        if w == v { 1.0 } else { product(w, v) / (own[w] * own[v]).max(f64::MIN_POSITIVE) }
    });
    Some(each.collect())
}

/// Only the tracks that are long enough.
fn chosen(file: &FitFile, tracks: Tracks) -> Result<Tracks, JobError> {
    let Some(shortest) = *file.data.shortest_track else { return Ok(tracks) };
    let kept = tracks.tracks().iter().filter(|t| t.len() as u64 >= shortest).cloned().collect();
    rebuilt(file, "data.shortest-track", &tracks, kept, tracks.dimensions())
}

/// The tracks with as many axes as the model has.
fn projected(file: &FitFile, model: &Model, tracks: Tracks) -> Result<Tracks, JobError> {
    let (found, axes) = (tracks.dimensions(), axes_of(model));
    let wanted = file.data.dimensions.map_or(found, |d| d as usize);
    if wanted > found {
        let message = format!("the tracks are {found}-D, but `data.dimensions` is {wanted}");
        return Err(file.wrong("data.dimensions", message).into());
    }
    if wanted != axes {
        return Err(file.wrong("data.dimensions", unlike(model, wanted, axes)).into());
    }
    if wanted == found {
        return Ok(tracks);
    }
    let flat = |t: &Track| {
        let positions = t.positions().iter().map(|p| [p[0], p[1], 0.0]).collect();
        Track::new(t.id().to_string(), t.start(), t.frames().to_vec(), positions)
    };
    let flattened: Result<Vec<Track>, _> = tracks.tracks().iter().map(flat).collect();
    let flattened = flattened.map_err(|e| file.wrong("data.tracks", e.to_string()))?;
    rebuilt(file, "data.dimensions", &tracks, flattened, wanted)
}

fn rebuilt(
    file: &FitFile,
    key: &str,
    from: &Tracks,
    tracks: Vec<Track>,
    axes: usize,
) -> Result<Tracks, JobError> {
    let (interval, units, notes) = (from.interval(), from.units().clone(), from.notes().to_vec());
    let rebuilt = Tracks::new(tracks, interval, axes, units, notes);
    let rebuilt = rebuilt.map_err(|e| file.wrong(key, e.to_string()))?;
    let used = |(what, _): &&(&'static str, String)| axes > 2 || *what != "z";
    Ok(rebuilt.with_columns(from.columns().iter().filter(used).cloned().collect()))
}

/// How many axes a model of walkers has.
pub(super) fn axes_of(model: &Model) -> usize {
    if model.layer("z").is_ok() { 3 } else { 2 }
}

/// That the data have other axes than the model, in words.
pub(super) fn unlike(model: &Model, found: usize, axes: usize) -> String {
    format!(
        "the data are {found}-D, but model `{}` moves in {axes} dimensions: a mean squared displacement of other axes \
         is another number; `data.dimensions = 2` takes the first two axes of tracks",
        model.name()
    )
}
