//! Chooses the colours of lines, lattices and text, each fit for colour-blind readers and for light and dark pages.
//!
//! An [`Ink`] is a pair of colours, one for light paper and one for dark. The six series inks were found by a
//! search over hue, chroma and lightness that maximised the smallest distance between any two of them, over
//! normal vision and the three kinds of colour blindness (simulated after Machado, Oliveira & Fernandes 2009,
//! *IEEE Trans. Vis. Comput. Graph.* 15:1291, severity 1), measured in OKLab (Ottosson 2020), with a contrast to
//! the paper of at least 3 : 1 on light and 5 : 1 on dark. The tests measure both again.

/// A colour: red, green, blue in sRGB, 0..=255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    /// The colour written as one number, e.g. `0x1366c4`.
    pub const fn hex(value: u32) -> Self {
        let [_, red, green, blue] = value.to_be_bytes();
        Self(red, green, blue)
    }

    /// The colour between `self` (0) and `other` (1), by straight lines in sRGB.
    pub fn mix(self, other: Self, share: f64) -> Self {
        let between = |a: u8, b: u8| {
            let value = f64::from(a) + (f64::from(b) - f64::from(a)) * share.clamp(0.0, 1.0);
            value.round() as u8
        };
        Self(between(self.0, other.0), between(self.1, other.1), between(self.2, other.2))
    }
}

impl std::fmt::Display for Rgb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// One colour for light paper and one for dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ink {
    /// On light paper.
    pub light: Rgb,
    /// On dark paper.
    pub dark: Rgb,
}

impl Ink {
    /// An ink from two numbers such as `0x1366c4`.
    pub const fn hex(light: u32, dark: u32) -> Self {
        Self { light: Rgb::hex(light), dark: Rgb::hex(dark) }
    }
}

/// The paper.
pub const PAPER: Ink = Ink::hex(0xffffff, 0x15181c);
/// Titles and names.
pub const TEXT: Ink = Ink::hex(0x1b1f24, 0xe8eaed);
/// Numbers at the axes, captions.
pub const MUTED: Ink = Ink::hex(0x50575f, 0xaab1ba);
/// Axis lines, target lines.
pub const AXIS: Ink = Ink::hex(0x868e97, 0x6d757f);
/// Grid lines.
pub const GRID: Ink = Ink::hex(0xe6e9ec, 0x2a2f36);

/// The inks of the series of a plot, in order: blue, orange, green, magenta, near-black (pale grey on dark), brown
/// (yellow on dark).
pub const SERIES: [Ink; 6] = [
    Ink::hex(0x1366c4, 0x359cfd),
    Ink::hex(0xe76f0f, 0xec5a16),
    Ink::hex(0x0aa888, 0xa1fbdc),
    Ink::hex(0xb31580, 0xb970a7),
    Ink::hex(0x343435, 0xb3b8bb),
    Ink::hex(0x7d5b03, 0xfde359),
];

/// The ink of series number `index`; after the sixth they begin again (the plot then changes the dashes).
pub fn series_ink(index: usize) -> Ink {
    SERIES[index % SERIES.len()]
}

/// The ink of series number `index` of `count` that have an order (targets, times, sizes): along viridis, without
/// the end that would vanish on the paper.
pub fn ordered_ink(index: usize, count: usize) -> Ink {
    let share = if count > 1 { index as f64 / (count - 1) as f64 } else { 0.5 };
    Ink { light: viridis(share * 0.74), dark: viridis(0.32 + share * 0.68) }
}

/// viridis at 33 evenly spaced points.
///
/// N. J. Smith, S. van der Walt, E. Firing (matplotlib, 2015), released under CC0. Straight lines between these
/// points differ from the published 256 colours by at most 1.7 of 255 in any channel.
const VIRIDIS: [u32; 33] = [
    0x440154, 0x470d60, 0x48186a, 0x482374, 0x472d7b, 0x453681, 0x424086, 0x3f4989, 0x3b528b, 0x375a8d,
    0x33638d, 0x2f6a8e, 0x2c728e, 0x297a8e, 0x26818e, 0x23898e, 0x21908c, 0x1f988b, 0x1f9f88, 0x21a685,
    0x28ae80, 0x31b57b, 0x3ebc74, 0x4cc26c, 0x5dc963, 0x6ece58, 0x82d34c, 0x96d83f, 0xabdc32, 0xc0df24,
    0xd5e21a, 0xeae51a, 0xfde725,
];

/// The sequential colour map viridis: `share` 0 is dark purple, 1 is yellow; values outside are clamped.
pub fn viridis(share: f64) -> Rgb {
    let place = share.clamp(0.0, 1.0) * (VIRIDIS.len() - 1) as f64;
    let below = (place.floor() as usize).min(VIRIDIS.len() - 2);
    Rgb::hex(VIRIDIS[below]).mix(Rgb::hex(VIRIDIS[below + 1]), place - below as f64)
}

/// The diverging colour map "cool to warm": `share` 0 is blue, ½ is light grey, 1 is red; values outside are clamped.
///
/// K. Moreland (2009), *Diverging color maps for scientific visualization*, ISVC: a path through the polar form
/// Msh of CIELAB, from (80, 1.08, −1.1) over white at M = 88 to (80, 1.08, 0.5).
pub fn cool_warm(share: f64) -> Rgb {
    const SATURATION: f64 = 1.08;
    const MIDDLE: f64 = 88.0;
    let share = share.clamp(0.0, 1.0);
    // Each half runs from a saturated end to white; white takes the hue that the end spins to (Moreland's eq. 2).
    let (hue, towards_white) = if share <= 0.5 { (-1.1, 2.0 * share) } else { (0.5, 2.0 - 2.0 * share) };
    let end: f64 = 80.0;
    let spin = SATURATION * (MIDDLE * MIDDLE - end * end).sqrt() / (end * f64::sin(SATURATION));
    let white_hue = if hue > -std::f64::consts::FRAC_PI_3 { hue + spin } else { hue - spin };
    let between = |a: f64, b: f64| a + (b - a) * towards_white;
    from_msh(between(end, MIDDLE), between(SATURATION, 0.0), between(hue, white_hue))
}

/// sRGB of a colour in Msh: distance from black, angle from the lightness axis, hue angle.
fn from_msh(magnitude: f64, saturation: f64, hue: f64) -> Rgb {
    let lightness = magnitude * saturation.cos();
    let a = magnitude * saturation.sin() * hue.cos();
    let b = magnitude * saturation.sin() * hue.sin();
    // CIELAB to XYZ, white D65.
    let y = (lightness + 16.0) / 116.0;
    let cube =
        |t: f64| if t > 6.0 / 29.0 { t * t * t } else { 3.0 * (6.0f64 / 29.0).powi(2) * (t - 4.0 / 29.0) };
    let (x, y, z) = (0.950_47 * cube(y + a / 500.0), cube(y), 1.088_83 * cube(y - b / 200.0));
    // XYZ to linear sRGB (IEC 61966-2-1).
    from_linear([
        3.240_454_2 * x - 1.537_138_5 * y - 0.498_531_4 * z,
        -0.969_266 * x + 1.876_010_8 * y + 0.041_556 * z,
        0.055_643_4 * x - 0.204_025_9 * y + 1.057_225_2 * z,
    ])
}

/// sRGB of linear light, each channel 0..=1.
fn from_linear(channels: [f64; 3]) -> Rgb {
    let [red, green, blue] = channels.map(|c| {
        let c = c.clamp(0.0, 1.0);
        let encoded = if c <= 0.003_130_8 { 12.92 * c } else { 1.055 * c.powf(1.0 / 2.4) - 0.055 };
        (255.0 * encoded).round() as u8
    });
    Rgb(red, green, blue)
}

/// The first colours of a lattice of categories: paper-like for the empty or resting state, then strong ones.
///
/// From M. Okabe & K. Ito (2008), *Color universal design*, in an order that keeps neighbours apart.
const CATEGORIES: [u32; 8] = [0xefece3, 0x0072b2, 0xd55e00, 0xf0e442, 0x009e73, 0xcc79a7, 0x56b4e9, 0x1b1f24];

/// The colour of category `index` of a lattice. Past the eighth, hues turn by the golden angle.
pub fn category_colour(index: usize) -> Rgb {
    if let Some(&value) = CATEGORIES.get(index) {
        return Rgb::hex(value);
    }
    let turn = (index - CATEGORIES.len()) as f64;
    let hue = (turn * 137.507_764).to_radians();
    let lightness = [0.62, 0.78, 0.48][index % 3];
    from_oklab(lightness, 0.11 * hue.cos(), 0.11 * hue.sin())
}

/// sRGB of a colour in OKLab (B. Ottosson 2020, public domain).
fn from_oklab(lightness: f64, a: f64, b: f64) -> Rgb {
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548 * b).powi(3);
    from_linear([
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701 * s,
    ])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn linear(colour: Rgb) -> [f64; 3] {
        [colour.0, colour.1, colour.2].map(|c| {
            let c = f64::from(c) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        })
    }

    fn contrast(a: Rgb, b: Rgb) -> f64 {
        let luminance = |colour| {
            let [r, g, b] = linear(colour);
            0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
        };
        let (a, b) = (luminance(a), luminance(b));
        f64::max(a / b, b / a)
    }

    fn oklab(rgb: [f64; 3]) -> [f64; 3] {
        let row = |a: f64, b: f64, c: f64| (a * rgb[0] + b * rgb[1] + c * rgb[2]).max(0.0).cbrt();
        let l = row(0.412_221_470_8, 0.536_332_536_3, 0.051_445_992_9);
        let m = row(0.211_903_498_2, 0.680_699_545_1, 0.107_396_956_6);
        let s = row(0.088_302_461_9, 0.281_718_837_6, 0.629_978_700_5);
        [
            0.210_454_255_3 * l + 0.793_617_785 * m - 0.004_072_046_8 * s,
            1.977_998_495_1 * l - 2.428_592_205 * m + 0.450_593_709_9 * s,
            0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766 * s,
        ]
    }

    /// Machado et al. 2009, table 1, severity 1.0, after normal vision.
    const VISIONS: [(&str, [[f64; 3]; 3]); 4] = [
        ("normal", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        (
            "protanopia",
            [
                [0.152_286, 1.052_583, -0.204_868],
                [0.114_503, 0.786_281, 0.099_216],
                [-0.003_882, -0.048_116, 1.051_998],
            ],
        ),
        (
            "deuteranopia",
            [
                [0.367_322, 0.860_646, -0.227_968],
                [0.280_085, 0.672_501, 0.047_413],
                [-0.011_820, 0.042_940, 0.968_881],
            ],
        ),
        (
            "tritanopia",
            [
                [1.255_528, -0.076_749, -0.178_779],
                [-0.078_411, 0.930_809, 0.147_602],
                [0.004_733, 0.691_367, 0.303_900],
            ],
        ),
    ];

    #[test]
    fn series_stay_apart_for_every_reader_and_paper() {
        for (paper, colours) in [("light", SERIES.map(|ink| ink.light)), ("dark", SERIES.map(|ink| ink.dark))]
        {
            for (vision, matrix) in VISIONS {
                let seen = colours.map(|colour| {
                    let rgb = linear(colour);
                    oklab(matrix.map(|row| (0..3).map(|i| row[i] * rgb[i]).sum::<f64>().clamp(0.0, 1.0)))
                });
                for i in 0..seen.len() {
                    for j in 0..i {
                        let squares: f64 = (0..3).map(|k| (seen[i][k] - seen[j][k]).powi(2)).sum();
                        let distance = squares.sqrt();
                        // The best six that the search found lie at 0.13 and more.
                        assert!(
                            distance > 0.125,
                            "{paper}, {vision}: {} and {} are {distance:.3} apart",
                            colours[i],
                            colours[j]
                        );
                    }
                }
            }
        }
    }

    /// Model files and catalogue models name their own colours; of the catalogue's, no two look alike to anybody.
    #[test]
    fn states_of_the_catalogue_stay_apart_for_every_reader() {
        use glauber_models::{MODELS, ModelOptions, named};
        let mut compared = 0;
        for model in MODELS {
            let model = named(model.name, &ModelOptions::none()).unwrap();
            for layer in &model.declarations().layers {
                let colours: Vec<_> = layer.colours.iter().flatten().copied().collect();
                for (vision, matrix) in VISIONS {
                    let seen = |c: &glauber_program::Colour| {
                        let rgb = linear(Rgb(c.0, c.1, c.2));
                        oklab(matrix.map(|row| (0..3).map(|i| row[i] * rgb[i]).sum::<f64>().clamp(0.0, 1.0)))
                    };
                    for (i, a) in colours.iter().enumerate() {
                        for b in &colours[..i] {
                            let (p, q) = (seen(a), seen(b));
                            let distance = (0..3).map(|k| (p[k] - q[k]).powi(2)).sum::<f64>().sqrt();
                            assert!(
                                distance > 0.125,
                                "{}, {vision}: {a} and {b}: {distance:.3}",
                                model.name()
                            );
                            compared += 1;
                        }
                    }
                }
            }
        }
        assert!(compared >= 4 * (3 + 3 + 6), "{compared}");
    }

    #[test]
    fn inks_stand_out_from_the_paper() {
        for ink in SERIES {
            assert!(
                contrast(ink.light, PAPER.light) >= 2.95 && contrast(ink.dark, PAPER.dark) >= 4.95,
                "{ink:?}"
            );
        }
        for ink in [TEXT, MUTED] {
            // WCAG 2, level AA, for text.
            assert!(
                contrast(ink.light, PAPER.light) >= 4.5 && contrast(ink.dark, PAPER.dark) >= 4.5,
                "{ink:?}"
            );
        }
        for index in 0..10 {
            let ink = ordered_ink(index, 10);
            assert!(
                contrast(ink.light, PAPER.light) >= 2.0 && contrast(ink.dark, PAPER.dark) >= 2.0,
                "{ink:?}"
            );
        }
    }

    #[test]
    fn viridis_grows_lighter_evenly() {
        let lightness: Vec<f64> = (0..=64).map(|i| oklab(linear(viridis(f64::from(i) / 64.0)))[0]).collect();
        for pair in lightness.windows(2) {
            assert!(pair[1] > pair[0], "{pair:?}");
        }
        assert_eq!(viridis(0.0), Rgb(0x44, 0x01, 0x54));
        assert_eq!(viridis(0.5), Rgb(0x21, 0x90, 0x8c));
        assert_eq!(viridis(7.0), Rgb(0xfd, 0xe7, 0x25));
    }

    #[test]
    fn cool_warm_meets_the_published_colours() {
        // Moreland's table: the ends (59, 76, 192) and (180, 4, 38), the middle (221, 221, 221).
        for (share, published) in [(0.0, Rgb(59, 76, 192)), (0.5, Rgb(221, 221, 221)), (1.0, Rgb(180, 4, 38))]
        {
            let found = cool_warm(share);
            for (a, b) in [(found.0, published.0), (found.1, published.1), (found.2, published.2)] {
                assert!(a.abs_diff(b) <= 2, "{share}: {found} is not {published}");
            }
        }
    }

    #[test]
    fn categories_differ() {
        let colours: Vec<Rgb> = (0..64).map(category_colour).collect();
        for i in 0..colours.len() {
            for j in 0..i {
                assert_ne!(colours[i], colours[j], "{i} and {j}");
            }
        }
    }
}
