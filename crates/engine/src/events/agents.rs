//! Keeps the list of sites that are in a state, so that one of them can be drawn at once.

/// The sites in a state, in an order that only their history decides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Agents {
    places: Vec<u32>,
    /// For each place of a padded plane, where in the list it is.
    position: Vec<u32>,
}

/// Not in the list.
const NOWHERE: u32 = u32::MAX;

impl Agents {
    /// Begins anew with the sites that `is` accepts, in order.
    pub(crate) fn gather(
        &mut self,
        padded: usize,
        sites: impl Iterator<Item = usize>,
        is: impl Fn(usize) -> bool,
    ) {
        self.places.clear();
        self.position.clear();
        self.position.resize(padded, NOWHERE);
        for place in sites.filter(|place| is(*place)) {
            self.add(place);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// The place of the agent of this number.
    pub(crate) fn place(&self, number: usize) -> usize {
        self.places[number] as usize
    }

    /// Notes whether a site is in the state now.
    pub(crate) fn set(&mut self, place: usize, is: bool) {
        match (is, self.position[place]) {
            (true, NOWHERE) => self.add(place),
            (false, own) if own != NOWHERE => {
                // The last takes its place in the list.
                let last = self.places.pop().unwrap_or_default();
                if last as usize != place {
                    self.places[own as usize] = last;
                    self.position[last as usize] = own;
                }
                self.position[place] = NOWHERE;
            }
            _ => {}
        }
    }

    fn add(&mut self, place: usize) {
        self.position[place] = self.places.len() as u32;
        self.places.push(place as u32);
    }
}
