//! Reads and names the steps after which observed states were seen.

use glauber_data::arrays::Array;
use glauber_program::Declarations;

use super::StatesError;

/// The array of an archive that holds the step of every time, as `glauber simulate` writes it.
const TIMES: &str = "times";
/// The same for a model that has a layer called `times`.
const TIMES_BESIDE_A_LAYER: &str = "times of states";

/// The name of the array that holds the step after which each time of a model's states was seen.
pub fn times_name(declarations: &Declarations) -> &'static str {
    match declarations.layers.iter().any(|l| l.name == TIMES) {
        true => TIMES_BESIDE_A_LAYER,
        false => TIMES,
    }
}

/// Takes the array of steps out of those of a model's states.
pub(super) fn split<'a>(
    declarations: &Declarations,
    arrays: &'a [(String, Array)],
) -> (Option<&'a Array>, Vec<&'a (String, Array)>) {
    let name = times_name(declarations);
    let (times, layers): (Vec<_>, Vec<_>) = arrays.iter().partition(|(own, _)| own == name);
    // A model of one layer takes a single array of any name, this one too.
    match (&times[..], layers.is_empty()) {
        ([(_, array)], false) => (Some(array), layers),
        _ => (None, arrays.iter().collect()),
    }
}

/// The steps that an array holds, one for each of `times` times.
///
/// # Errors
/// [`StatesError::Times`] unless they are whole, ascending, and as many as there are times.
pub(super) fn steps_of(
    declarations: &Declarations,
    array: &Array,
    times: usize,
) -> Result<Vec<u32>, StatesError> {
    let fail =
        |problem: String| Err(StatesError::Times { array: times_name(declarations).to_string(), problem });
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
