//! Reads and names the steps after which observed states were seen.

use glauber_data::arrays::Array;
use glauber_program::{Signature, nearest_name};

use super::StatesError;
use super::meanings::is_about_states;

/// The array of an archive that holds the step of every time, as `glauber simulate` writes it.
const TIMES: &str = "times";
/// The same for a model that has a layer called `times`.
const TIMES_BESIDE_A_LAYER: &str = "times of states";

/// The name of the array that holds the step after which each time of a model's states was seen.
pub fn times_name(signature: &Signature) -> &'static str {
    match signature.layers.iter().any(|l| l.name == TIMES) {
        true => TIMES_BESIDE_A_LAYER,
        false => TIMES,
    }
}

/// Takes the array of steps out of those of a model's states.
pub(super) fn split<'a>(
    signature: &Signature,
    arrays: &'a [(String, Array)],
) -> (Option<&'a Array>, Vec<&'a (String, Array)>) {
    let name = times_name(signature);
    let numbers = || arrays.iter().filter(move |(own, _)| !is_about_states(signature, own));
    let (times, layers): (Vec<_>, Vec<_>) = numbers().partition(|(own, _)| own == name);
    // A model of one layer takes a single array of any name, this one too.
    match (&times[..], layers.is_empty()) {
        ([(_, array)], false) => (Some(array), layers),
        _ => (None, numbers().collect()),
    }
}

/// The arrays beside those of a model's states that nobody reads.
pub(super) fn unread<'a>(signature: &Signature, arrays: &'a [(String, Array)]) -> Vec<&'a (String, Array)> {
    let (_, layers) = split(signature, arrays);
    if signature.layers.len() == 1 && layers.len() == 1 {
        return Vec::new();
    }
    layers.into_iter().filter(|(name, _)| signature.layers.iter().all(|l| l.name != *name)).collect()
}

/// Whether an array is called like times, and may hold several.
pub(super) fn is_like_times(name: &str, array: &Array) -> bool {
    const WORDS: [&str; 8] = ["t", "time", "times", "step", "steps", "timestep", "timesteps", "timepoints"];
    let plain = plain(name);
    let called = WORDS.contains(&plain.as_str()) || ["frame", "frames"].contains(&plain.as_str());
    called && array.shape().len() == 1 && array.to_f64().len() > 1
}

/// The key that says what an array is called for.
fn of_time(name: &str) -> Option<&'static str> {
    match plain(name).as_str() {
        "interval" | "dt" | "deltat" | "timeinterval" | "frameinterval" => {
            Some("`data.interval` and `data.step-time`")
        }
        "firststep" | "start" | "offset" => Some("`data.first-step`"),
        _ => None,
    }
}

/// A name in lower case without what is no letter or digit.
fn plain(name: &str) -> String {
    name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The first array beside those of a model's states that is called like one of what was seen, site by site: `mask`, `valid`.
pub fn mask_array<'a>(signature: &Signature, arrays: &'a [(String, Array)]) -> Option<&'a str> {
    const WORDS: [&str; 12] = [
        "mask",
        "masks",
        "masked",
        "valid",
        "invalid",
        "missing",
        "ismissing",
        "nodata",
        "nan",
        "isnan",
        "unobserved",
        "notseen",
    ];
    let sites = signature.lattice.sites();
    let called = |(name, array): &&(String, Array)| {
        WORDS.contains(&plain(name).as_str()) && array.shape().iter().product::<usize>() >= sites
    };
    unread(signature, arrays).into_iter().find(called).map(|(name, _)| name.as_str())
}

/// A sentence on a single array that is taken for the only layer though it has another name: of a name that somebody gave.
pub fn of_another_name(signature: &Signature, arrays: &[(String, Array)]) -> Option<String> {
    let (_, layers) = split(signature, arrays);
    match (&layers[..], &signature.layers[..]) {
        ([(name, _)], [layer]) if *name != layer.name && !name.is_empty() && name != "arr_0" => {
            Some(format!("the array `{name}` is taken for the layer `{}`, the only one", layer.name))
        }
        _ => None,
    }
}

/// A sentence for each array beside those of a model's states that is not read.
pub fn unread_arrays(signature: &Signature, arrays: &[(String, Array)]) -> Vec<String> {
    let own = || signature.layers.iter().map(|l| l.name.as_str()).chain([times_name(signature)]);
    let one = |(name, _): &&(String, Array)| {
        let hint = match nearest_name(name, own()) {
            Some(nearest) => format!(": was `{nearest}` meant?"),
            None => match of_time(name) {
                Some(key) => format!("; it is said by {key}"),
                None => {
                    let there = own().filter(|name| arrays.iter().any(|(own, _)| own == name));
                    let names: Vec<String> = there.map(|name| format!("`{name}`")).collect();
                    if names.is_empty() { String::new() } else { format!("; read are {}", names.join(", ")) }
                }
            },
        };
        format!("the array `{name}` is not read{hint}")
    };
    unread(signature, arrays).iter().map(one).collect()
}

/// The steps that an array holds, one for each of `times` times.
///
/// # Errors
/// [`StatesError::Times`] unless they are whole, ascending, and as many as there are times.
pub(super) fn steps_of(signature: &Signature, array: &Array, times: usize) -> Result<Vec<u32>, StatesError> {
    let fail =
        |problem: String| Err(StatesError::Times { array: times_name(signature).to_string(), problem });
    let numbers = array.to_f64();
    if array.shape().len() != 1 || numbers.len() != times {
        return fail(format!("its shape is {:?}, but there are {times} times", array.shape()));
    }
    let whole = |x: &f64| (0.0..=f64::from(u32::MAX)).contains(x) && x.fract().abs() <= 0.0;
    if let Some(bad) = numbers.iter().find(|x| !whole(x)) {
        return fail(format!("it holds {bad}, which is no step"));
    }
    if let Some(pair) = numbers.windows(2).find(|pair| pair[1] <= pair[0]) {
        return fail(format!("{} follows {}", pair[1], pair[0]));
    }
    Ok(numbers.into_iter().map(|x| x as u32).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use glauber_data::arrays::Array;
    use glauber_models::{ModelOptions, named};

    use super::super::States;
    use super::unread_arrays;

    #[test]
    fn arrays_that_are_not_read_are_said_and_times_refused() {
        let model =
            named("susceptible-infected", &ModelOptions::none().with("shape", vec![4.0, 5.0])).unwrap();
        let signature = model.signature();
        let layer = signature.layers[0].name.clone();
        let states = Array::new(vec![2, 4, 5], vec![0.0; 40]).unwrap();
        let numbers = |n: usize| Array::new(vec![n], vec![3.0; n]).unwrap();
        let with =
            |name: &str, array: Array| vec![(layer.clone(), states.clone()), (name.to_string(), array)];
        for name in ["time", "step", "Steps", "Times", "time_steps"] {
            let error = States::from_arrays(signature, &with(name, numbers(2))).unwrap_err().to_string();
            assert!(error.contains(&format!("array `{name}`")) && error.contains("`times`"), "{error}");
        }
        // One number is a setting, and what is called otherwise is something else.
        for (name, array) in [("steps", numbers(1)), ("seeds", numbers(2))] {
            let arrays = with(name, array);
            assert_eq!(States::from_arrays(signature, &arrays).unwrap().times, 2);
            let notes = unread_arrays(signature, &arrays);
            assert!(notes.len() == 1 && notes[0].contains(&format!("`{name}` is not read")), "{notes:?}");
        }
        let only = [("anything".to_string(), states.clone())];
        assert!(unread_arrays(signature, &only).is_empty());
        let said = super::of_another_name(signature, &only).unwrap();
        assert!(said.contains("`anything`") && said.contains(&layer), "{said}");
        assert_eq!(super::of_another_name(signature, &[(layer.clone(), states.clone())]), None);
    }
}
