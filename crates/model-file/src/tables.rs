//! Reads the tables of a model file, each by the file it belongs to, into a [`Sheet`].

use glauber_lattice::Neighbourhood;

use super::document::{Table, optional_text};
use super::error::{Checked, problem};
use super::names::Names;
use super::sheet::{Edge, Sheet};
use super::update;
use super::{cells, colours, declare, rules};

/// What the options put in place of what the file says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replaced {
    pub(crate) shape: Option<Vec<usize>>,
    pub(crate) boundary: Option<Edge>,
    pub(crate) constants: Vec<(String, f64)>,
    pub(crate) update: Option<&'static str>,
}

/// Reads a file's tables. `shape`, `boundary` and `update` replace the file's; `constants` replace values of its constants.
pub(crate) fn sheet(
    root: &Table<'_>,
    file_name: &str,
    replaced: &Replaced,
    folder: &std::path::Path,
) -> Checked<Sheet> {
    let name = optional_text(root, "name")?.unwrap_or(file_name).to_string();
    optional_text(root, "description")?;
    optional_text(root, "reference")?;
    let lattice = root.take("lattice");
    let (shape, mut boundary) = declare::lattice(lattice)?;
    let own_edges = boundary.clone();
    let shape = replaced.shape.clone().unwrap_or(shape);
    if let Some(edge) = replaced.boundary {
        boundary = vec![edge];
    }
    if boundary.len() == 1 {
        boundary = vec![boundary[0]; shape.len()];
    }
    let mut sheet = Sheet {
        name,
        names: Names::default(),
        states: None,
        layers: Vec::new(),
        parameters: Vec::new(),
        constants: Vec::new(),
        neighbourhoods: Vec::new(),
        neighbourhood: Neighbourhood::of(&[]),
        covariates: Vec::new(),
        definitions: Vec::new(),
        start: None,
        transitions: Vec::new(),
        reactions: Vec::new(),
        hops: Vec::new(),
        cells: super::sheet::Cells::default(),
        applied: super::sheet::Applied::default(),
        shape,
        boundary,
        notes: Vec::new(),
    };
    if let Some(value) = lattice.filter(|_| sheet.boundary.len() != sheet.shape.len()) {
        let (found, wanted) = (sheet.boundary.len(), sheet.shape.len());
        return problem(
            &value.span(),
            format!("the lattice has {wanted} axes, but {found} boundaries are given"),
        );
    }
    declare::states(&mut sheet, root.take("states"))?;
    declare::layers(&mut sheet, root.take("layers"))?;
    colours::read(&mut sheet, root.take("colours"))?;
    if sheet.states.is_none() && sheet.layers.is_empty() {
        let message =
            "the model has neither states nor layers: begin with states = [\"empty\", \"occupied\"]";
        return problem(&(0..0), message);
    }
    declare::outside(&mut sheet, lattice, &own_edges)?;
    declare::parameters(&mut sheet, root.take("parameters"))?;
    declare::constants(&mut sheet, root.take("constants"), &replaced.constants)?;
    declare::neighbourhoods(&mut sheet, root.take("neighbourhoods"), root.take("neighbourhood"))?;
    declare::covariates(&mut sheet, root.take("covariates"), folder)?;
    declare::definitions(&mut sheet, root.take("definitions"))?;
    cells::numbers(&mut sheet, root.take("cells"))?;
    cells::lists(&mut sheet, root.take("lists"))?;
    update::read(&mut sheet, root.take("update"), replaced.update)?;
    rules::start(&mut sheet, root.take("start"))?;
    rules::transitions(&mut sheet, root.take("transitions"))?;
    rules::reactions(&mut sheet, root.take("reactions"))?;
    rules::hops(&mut sheet, root.take("hops"))?;
    cells::copies(&mut sheet, root.take("copies"))?;
    root.finish()?;
    Ok(sheet)
}
