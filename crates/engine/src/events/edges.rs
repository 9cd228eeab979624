//! Keeps margins right while single sites are written, and finds which site stands in a margin.

use glauber_lattice::{Boundary, Layout};

/// What a place in a padded plane is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    /// A site that no margin shows.
    Inner,
    /// A site that a margin shows too.
    Shown,
    /// A place in a margin that shows a site.
    Image,
    /// A place beyond a fixed edge.
    Outside,
}

/// Which sites a margin shows where.
#[derive(Clone, Debug)]
pub(crate) struct Edges {
    kinds: Vec<Kind>,
    extent: [usize; 3],
    margin: [usize; 3],
    padded: [usize; 3],
    boundaries: [Boundary; 3],
    /// For each axis and coordinate, the padded coordinates that show it, its own first.
    shown: [Vec<Vec<u32>>; 3],
}

impl Edges {
    pub(crate) fn new(layout: &Layout, boundaries: [Boundary; 3]) -> Edges {
        let (extent, margin) = (layout.extent(), layout.margin());
        let padded = [0, 1, 2].map(|k| extent[k] + 2 * margin[k]);
        let shown = [0, 1, 2].map(|k| {
            let mut places: Vec<Vec<u32>> = (0..extent[k]).map(|x| vec![(x + margin[k]) as u32]).collect();
            for at in (0..padded[k]).filter(|at| *at < margin[k] || *at >= margin[k] + extent[k]) {
                if let Some(x) = boundaries[k].source(at as i64 - margin[k] as i64, extent[k]) {
                    places[x].push(at as u32);
                }
            }
            places
        });
        let mut edges = Edges { kinds: Vec::new(), extent, margin, padded, boundaries, shown };
        edges.kinds = (0..layout.padded_len()).map(|place| edges.kind(place)).collect();
        edges
    }

    fn split(&self, place: usize) -> [usize; 3] {
        let [_, height, width] = self.padded;
        [place / (height * width), place / width % height, place % width]
    }

    fn join(&self, at: [usize; 3]) -> usize {
        (at[0] * self.padded[1] + at[1]) * self.padded[2] + at[2]
    }

    /// The coordinates of the site that a place shows; none beyond a fixed edge.
    fn source(&self, place: usize) -> Option<[usize; 3]> {
        let at = self.split(place);
        let mut site = [0; 3];
        for k in 0..3 {
            site[k] = self.boundaries[k].source(at[k] as i64 - self.margin[k] as i64, self.extent[k])?;
        }
        Some(site)
    }

    fn kind(&self, place: usize) -> Kind {
        let Some(site) = self.source(place) else { return Kind::Outside };
        if self.place(site) != place {
            return Kind::Image;
        }
        match (0..3).any(|k| self.shown[k][site[k]].len() > 1) {
            true => Kind::Shown,
            false => Kind::Inner,
        }
    }

    /// Whether a margin may show a site, or one that is no farther from it than the margin is wide.
    #[cfg(test)]
    pub(crate) fn is_near(&self, site: [usize; 3]) -> bool {
        (0..3).fold(false, |near, k| {
            let within = 2 * self.margin[k];
            near | (site[k] < within) | (site[k] + within >= self.extent[k])
        })
    }

    /// Where a site stands.
    pub(crate) fn place(&self, site: [usize; 3]) -> usize {
        self.join([0, 1, 2].map(|k| site[k] + self.margin[k]))
    }

    /// Where the site numbered so in row-major order stands.
    pub(crate) fn place_of(&self, site: usize) -> usize {
        let [_, height, width] = self.extent;
        self.place([site / (height * width), site / width % height, site % width])
    }

    /// The row-major number of the site at a place; 0 beyond a fixed edge.
    pub(crate) fn number(&self, place: usize) -> usize {
        let [_, height, width] = self.extent;
        self.source(place).map_or(0, |[z, y, x]| (z * height + y) * width + x)
    }

    /// The site that a place shows, where it stands itself; none beyond a fixed edge.
    #[inline]
    pub(crate) fn site(&self, place: usize) -> Option<usize> {
        match self.kinds[place] {
            Kind::Inner | Kind::Shown => Some(place),
            Kind::Image => self.source(place).map(|site| self.place(site)),
            Kind::Outside => None,
        }
    }

    /// Calls `f` with every place in a margin that shows the site at `place`.
    #[inline]
    pub(crate) fn images(&self, place: usize, f: impl FnMut(usize)) {
        if self.kinds[place] == Kind::Shown {
            self.all_images(place, f);
        }
    }

    #[cold]
    fn all_images(&self, place: usize, mut f: impl FnMut(usize)) {
        let at = self.split(place);
        let site = [0, 1, 2].map(|k| at[k] - self.margin[k]);
        for z in &self.shown[0][site[0]] {
            for y in &self.shown[1][site[1]] {
                for x in &self.shown[2][site[2]] {
                    let image = self.join([*z as usize, *y as usize, *x as usize]);
                    if image != place {
                        f(image);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glauber_lattice::{Axes, Lattice};

    /// A plane that is written site by site has the margin that filling it gives.
    #[test]
    fn margins_follow_single_writes() {
        for shape in [&[5][..], &[3, 4], &[2, 3, 4], &[1, 2]] {
            for boundary in [Boundary::Periodic, Boundary::Reflecting, Boundary::Fixed(99.0)] {
                let lattice = Lattice::new(shape).unwrap().bounded(boundary);
                let margin = [0, 1, 2].map(|k| if k + shape.len() >= 3 { 3 } else { 0 });
                let layout = Layout::new(&lattice, margin);
                let edges = Edges::new(&layout, lattice.boundaries());
                let mut written = vec![99_i32; layout.padded_len()];
                let mut filled = vec![0_i32; layout.padded_len()];
                let dense: Vec<i32> = (0..layout.sites() as i32).collect();
                layout.scatter(&dense, &mut filled);
                layout.fill_margin_with(&mut filled, |v| v as i32);
                for (site, value) in dense.iter().enumerate() {
                    let place = edges.place_of(site);
                    written[place] = *value;
                    edges.images(place, |image| written[image] = *value);
                    assert_eq!(edges.number(place), site);
                    let shown = edges.kinds[place] == Kind::Shown;
                    assert!(!shown || edges.is_near(edges.source(place).unwrap_or_default()));
                }
                assert_eq!(written, filled, "{shape:?} {boundary}");
                for place in 0..layout.padded_len() {
                    let shown = edges.site(place).map_or(99, |site| written[site]);
                    assert_eq!(shown, filled[place]);
                }
            }
        }
    }

    /// The sites picked are those of the row-major number, stand where edges say, and are near an edge where edges say.
    #[test]
    fn sites_stand_where_their_number_says() {
        for shape in [&[1][..], &[7], &[300], &[3, 5], &[64, 48], &[4, 9, 16]] {
            let lattice = Lattice::new(shape).unwrap().bounded(Boundary::Periodic);
            let margin = [0, 1, 2].map(|k| if k + shape.len() >= 3 { 2 } else { 0 });
            let layout = Layout::new(&lattice, margin);
            let edges = Edges::new(&layout, lattice.boundaries());
            let axes = Axes::new(&layout);
            let words = |salt: u32| -> Vec<u32> {
                (0..500_u32).map(|i| (i ^ salt).wrapping_mul(0x9e37_79b9).rotate_left(7) ^ i << 24).collect()
            };
            let (high, low) = (words(1), words(77));
            let (mut places, mut near) = (vec![0; 500], vec![false; 500]);
            axes.pick([&high, &low], &mut places, &mut near);
            for i in 0..500 {
                let bits = u64::from(high[i]) << 32 | u64::from(low[i]);
                let site = ((u128::from(bits) * layout.sites() as u128) >> 64) as usize;
                assert_eq!(places[i] as usize, edges.place_of(site), "{shape:?}");
                assert_eq!(axes.place(bits), edges.place_of(site));
                let [_, height, width] = layout.extent();
                let at = [site / (height * width), site / width % height, site % width];
                assert_eq!(near[i], edges.is_near(at), "{shape:?} {at:?}");
            }
        }
    }
}
