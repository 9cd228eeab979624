//! What the paper left open: its method applied to the Cellular Potts model, and compared with approximate Bayesian computation.
//!
//! Sorting cells are simulated and their six coefficients fitted by the exact likelihood, from many movies for the coverage of its
//! intervals and from one beside ABC on the same simulator; and two coefficients of the Act model from tracks of cells by a synthetic likelihood.
//! Attempts to copy a label are what is counted, so that the numbers do not depend on the machine.

use glauber_cellular_potts::{
    Acceptance, Act, CellTrack, Cells, CheckOptions, Elastic, Energy, Experiment, Movie, Order, Simulation,
    TrackUnknown, Unknown, check_by_simulation, fit, fit_tracks, shuffled_types, simulated_tracks,
};
use glauber_lattice::Lattice;
use glauber_report::colour::{Rgb, category_colour};
use glauber_report::frames::Colouring;
use glauber_report::html::{Section, Table, Verdict};
use glauber_report::plot::{Figure, Panel};
use glauber_statistics::tolerance::{chi_square_below, successes_within};
use serde::{Deserialize, Serialize};

use crate::abc::{Populations, Settings as AbcSettings, infer};
use crate::error::ReproduceError;
use crate::films::Recording;
use crate::findings::{Finding, Findings, csv};
use crate::part::Part;
use crate::settings::Settings;
use crate::store::Store;
use crate::study::Study;

/// J01, J02, J11, J12, J22, λ, in units of T.
const TRUTH: [f64; 6] = [1.6, 1.6, 1.4, 1.1, 0.2, 0.1];
const NAMES: [&str; 6] = ["J01", "J02", "J11", "J12", "J22", "volume_strength"];
const PRIOR: [[f64; 2]; 6] = [[0.0, 3.0], [0.0, 3.0], [0.0, 3.0], [0.0, 3.0], [0.0, 3.0], [0.0, 0.5]];
/// Sites of a cell at the start, along an axis.
const BLOCK: usize = 8;
/// λ_act/T and max_act.
const ACT: [f64; 2] = [8.0, 20.0];
/// How often a right fit is said to be off.
const ALARM: f64 = 0.01;
/// Stands for an error where there is none: JSON has no infinity.
const NONE: f64 = 1e9;
/// Frames of the film, and how many steps apart.
const FILM: [u64; 2] = [40, 12];

/// The experiment, full or shortened.
pub(crate) struct OpenQuestions {
    seed: u64,
    side: usize,
    across: usize,
    steps: u64,
    movies: u64,
    population: usize,
    simulations: usize,
    cells: usize,
    records: u32,
}

/// What the likelihood found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Fitted {
    estimates: Vec<f64>,
    errors: Vec<f64>,
    /// (estimate − truth) / error.
    scores: Vec<f64>,
    words: String,
    check: String,
    departs: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Covered {
    movies: u64,
    held: Vec<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Tracked {
    estimates: Vec<f64>,
    errors: Vec<Option<f64>>,
    words: String,
    departs: bool,
    attempts: f64,
    lags: Vec<f64>,
    observed: Vec<f64>,
    simulated: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
    speed: [f64; 2],
    half_life: [f64; 2],
}

impl OpenQuestions {
    pub(crate) fn new(settings: &Settings) -> OpenQuestions {
        let seed = settings.seed;
        match settings.quick {
            true => OpenQuestions {
                seed,
                side: 40,
                across: 4,
                steps: 20,
                movies: 12,
                population: 40,
                simulations: 1_500,
                cells: 12,
                records: 101,
            },
            false => OpenQuestions {
                seed,
                side: 64,
                across: 7,
                steps: 40,
                movies: 100,
                population: 200,
                simulations: 60_000,
                cells: 40,
                records: 301,
            },
        }
    }

    fn start(&self) -> Result<Cells, ReproduceError> {
        let count = self.across * self.across;
        let kinds = shuffled_types(&[count.div_ceil(2), count / 2], self.seed);
        let mut next = kinds.into_iter();
        let begin = (self.side - BLOCK * self.across) / 2;
        let lattice = Lattice::square(self.side);
        Cells::blocks(lattice, &[begin; 2], &[self.across; 2], &[BLOCK; 2], |_| next.next().unwrap_or(1))
            .map_err(ReproduceError::part)
    }

    /// States of so many steps, `every` steps apart.
    fn simulated(
        &self,
        theta: &[f64],
        seed: u64,
        steps: u64,
        every: u64,
    ) -> Result<(Cells, Vec<Vec<u32>>), ReproduceError> {
        let start = self.start()?;
        let made = Simulation::new(
            start.clone(),
            &sorting(theta),
            Acceptance::Metropolis,
            Order::Sublattices,
            seed,
            0,
        );
        let mut simulation = made.map_err(ReproduceError::part)?;
        let mut states = vec![start.labels().to_vec()];
        for _ in 0..steps / every {
            simulation.run(every);
            states.push(simulation.cells().labels().to_vec());
        }
        Ok((start, states))
    }

    fn movie(&self, seed: u64) -> Result<Movie, ReproduceError> {
        let (start, states) = self.simulated(&TRUTH, seed, self.steps, 1)?;
        Movie::new(start.lattice().clone(), start.types().to_vec(), states).map_err(ReproduceError::part)
    }

    fn fitted(&self, seed: u64, checks: u32) -> Result<Fitted, ReproduceError> {
        let movie = self.movie(seed)?;
        let mut unknown: Vec<Unknown> =
            [(0, 1), (0, 2), (1, 1), (1, 2), (2, 2)].iter().map(|(a, b)| Unknown::adhesion(*a, *b)).collect();
        unknown.extend(Unknown::named("volume_strength", 2));
        let begin = sorting(&[0.5, 0.5, 0.5, 0.5, 0.5, 0.02]);
        let found = fit(&[&movie], &begin, Acceptance::Metropolis, &unknown).map_err(ReproduceError::part)?;
        let errors: Vec<f64> = (0..6).map(|place| found.error(place).unwrap_or(NONE)).collect();
        let scores = (0..6).map(|place| (found.estimates[place] - TRUTH[place]) / errors[place]).collect();
        let check = match checks {
            0 => None,
            replicates => {
                let options = CheckOptions { replicates, seed, ..CheckOptions::default() };
                Some(check_by_simulation(&movie, &found, options).map_err(ReproduceError::part)?)
            }
        };
        Ok(Fitted {
            estimates: found.estimates.clone(),
            errors,
            scores,
            words: found.words.clone(),
            check: check.as_ref().map_or(String::new(), |check| check.words()),
            departs: check.is_some_and(|check| check.quantities.iter().any(|q| q.departs())),
        })
    }

    /// Pairs by types and the deviation of volumes at a quarter, half and the end.
    fn summaries(&self, theta: &[f64], seed: u64) -> Result<Vec<f64>, ReproduceError> {
        let (start, states) = self.simulated(theta, seed, self.steps, self.steps / 4)?;
        let mut all = Vec::new();
        for place in [1, 2, 4] {
            let cells = Cells::new(start.lattice().clone(), states[place].clone(), start.types().to_vec())
                .map_err(ReproduceError::part)?;
            let pairs = cells.pairs_by_types(2);
            all.extend([1, 2, 4, 5, 8].map(|pair| pairs[pair] as f64));
            let volumes = cells.volumes();
            let own = volumes.iter().skip(1).map(|v| f64::from(*v));
            let mean = own.clone().sum::<f64>() / (volumes.len() - 1) as f64;
            all.push((own.map(|v| (v - mean).powi(2)).sum::<f64>() / (volumes.len() - 1) as f64).sqrt());
        }
        Ok(all)
    }

    fn attempts_of_one(&self) -> f64 {
        (self.side * self.side) as f64 * self.steps as f64
    }

    fn parts_of_sorting(&self) -> Vec<Part> {
        let about = format!(
            "{}², {} cells, {} steps, seed {}",
            self.side,
            self.across * self.across,
            self.steps,
            self.seed
        );
        let one = |own: &OpenQuestions| own.copy();
        let (likelihood, coverage, abc, film) = (one(self), one(self), one(self), one(self));
        vec![
            Part::new("cells-likelihood", "sorting cells by likelihood", about.clone(), 3.0, move |_| {
                likelihood.fitted(likelihood.seed, 39)
            }),
            Part::new(
                "cells-coverage",
                "intervals of many movies",
                format!("{about}, {} movies", self.movies),
                0.6 * self.movies as f64,
                move |context| {
                    let mut bar = context.progress(0, coverage.movies);
                    let mut held = vec![0; 6];
                    for movie in 0..coverage.movies {
                        context.check()?;
                        let found = coverage.fitted(1000 * coverage.seed + movie, 0)?;
                        for (count, score) in held.iter_mut().zip(&found.scores) {
                            *count += u64::from(score.abs() <= 1.96);
                        }
                        bar.update(movie + 1, &[]);
                    }
                    bar.finish(&format!("held {held:?} of {}", coverage.movies));
                    Ok(Covered { movies: coverage.movies, held })
                },
            ),
            Part::new(
                "cells-abc",
                "sorting cells by ABC",
                format!("{about}, population {}, {} simulations", self.population, self.simulations),
                self.simulations as f64 * self.attempts_of_one() * 2e-8,
                move |context| {
                    let bar = context.progress(0, 1);
                    let found = abc.inferred()?;
                    bar.finish(&format!("{} populations", found.means.len()));
                    Ok(found)
                },
            ),
            Part::new(
                "cells-film",
                "a film of sorting cells",
                format!("{about}, {FILM:?}"),
                1.0,
                move |_| film.film(),
            ),
        ]
    }

    fn copy(&self) -> OpenQuestions {
        OpenQuestions { ..*self }
    }

    fn inferred(&self) -> Result<Populations, ReproduceError> {
        let observed = self.summaries(&TRUTH, self.seed)?;
        let settings = AbcSettings {
            ranges: PRIOR.to_vec(),
            population: self.population,
            simulations: self.simulations,
            seed: self.seed,
        };
        // A start and coefficients within the prior always make a simulation.
        let simulate = |theta: &[f64], number: u64| {
            self.summaries(theta, 1_000_000 * (self.seed + 1) + number)
                .unwrap_or_else(|_| vec![f64::NAN; observed.len()])
        };
        Ok(infer(&settings, &observed, &simulate))
    }

    fn film(&self) -> Result<Recording, ReproduceError> {
        let [frames, every] = FILM;
        let (start, states) = self.simulated(&TRUTH, self.seed, frames * every, every)?;
        let times = 3;
        let side = self.side * times;
        let raster = |labels: &Vec<u32>| -> Vec<u8> {
            let at = |y: usize, x: usize| labels[y % self.side * self.side + x % self.side];
            (0..side * side)
                .map(|pixel| {
                    let (y, x) = (pixel / side, pixel % side);
                    let (row, column) = (y / times, x / times);
                    let own = at(row, column);
                    let right = x % times == times - 1 && at(row, column + 1) != own;
                    let below = y % times == times - 1 && at(row + 1, column) != own;
                    if right || below { 3 } else { start.types()[own as usize] }
                })
                .collect()
        };
        Ok(Recording { height: side, width: side, frames: states.iter().map(raster).collect() })
    }

    fn part_of_tracks(&self) -> Part {
        let (seed, cells, records) = (self.seed, self.cells, self.records);
        let settings = format!("{cells} cells, {records} records, seed {seed}, truth {ACT:?}");
        let weight = cells as f64 * f64::from(records) * 0.01;
        Part::new("cells-act", "the Act model from tracks", settings, weight, move |context| {
            let bar = context.progress(0, 1);
            let stop = || context.interrupt.load(std::sync::atomic::Ordering::Relaxed);
            let experiment = Experiment {
                lattice: Lattice::square(48),
                types: vec![1],
                volume: 100,
                burn_in: 200,
                between: 5,
                acceptance: Acceptance::Metropolis,
                order: Order::RandomSequential,
            };
            let data: Vec<CellTrack> =
                simulated_tracks(&experiment, &act(&ACT), records, cells, 77 + seed, &stop)
                    .map_err(ReproduceError::part)?
                    .into_iter()
                    .flatten()
                    .collect();
            let unknown = |name: &str, low, high, whole| TrackUnknown { name: name.into(), low, high, whole };
            let unknowns = [unknown("act_strength", 1.0, 40.0, false), unknown("max_act", 5.0, 80.0, true)];
            let found =
                fit_tracks(&data, &experiment, &unknowns, &act, seed, &stop).map_err(ReproduceError::part)?;
            bar.finish(&found.words());
            let displacements = &found.observed.mean_squared_displacement;
            let rows = &found.rows[1..1 + displacements.len()];
            Ok(Tracked {
                estimates: found.estimates.clone(),
                errors: found.errors.iter().map(|error| error.as_ref().ok().copied()).collect(),
                words: found.words(),
                departs: found.departs(),
                attempts: found.attempts,
                lags: displacements.iter().map(|(lag, _)| *lag).collect(),
                observed: rows.iter().map(|row| row.observed).collect(),
                simulated: rows.iter().map(|row| row.simulated).collect(),
                low: rows.iter().map(|row| row.band[0]).collect(),
                high: rows.iter().map(|row| row.band[1]).collect(),
                speed: [found.observed.speed, found.simulated.speed],
                half_life: [found.observed.half_life, found.simulated.half_life].map(|x| x.unwrap_or(-1.0)),
            })
        })
    }
}

/// Two types that sort, targets of 64 sites.
fn sorting(theta: &[f64]) -> Energy {
    let [j01, j02, j11, j12, j22, strength] =
        [0, 1, 2, 3, 4, 5].map(|place| theta.get(place).copied().unwrap_or(0.0));
    Energy {
        volume: Some(vec![Elastic { strength, target: (BLOCK * BLOCK) as f64 }; 2]),
        ..Energy::of_adhesion(2, vec![0.0, j01, j02, j01, j11, j12, j02, j12, j22])
    }
}

/// Small cells of the Act model.
fn act(theta: &[f64]) -> Energy {
    let elastic = |strength, target| Some(vec![Elastic { strength, target }]);
    Energy {
        volume: elastic(1.5, 100.0),
        perimeter: elastic(0.1, 110.0),
        act: Some(vec![Act { strength: theta[0], most: theta[1] as u32 }]),
        ..Energy::of_adhesion(1, vec![0.0, 1.0, 1.0, 5.0])
    }
}

impl Study for OpenQuestions {
    fn parts(&self) -> Vec<Part> {
        let mut parts = self.parts_of_sorting();
        parts.push(self.part_of_tracks());
        parts
    }

    fn findings(&self, store: &Store) -> Result<Findings, ReproduceError> {
        let fitted: Fitted = store.get("cells-likelihood")?;
        let covered: Covered = store.get("cells-coverage")?;
        let abc: Populations = store.get("cells-abc")?;
        let film: Recording = store.get("cells-film")?;
        let tracked: Tracked = store.get("cells-act")?;
        let mut colours: Vec<Rgb> = (0..3).map(category_colour).collect();
        colours.push(Rgb::hex(0x1b1f24));
        let names = ["medium", "type 1", "type 2", "border"].map(String::from);
        let colouring = Colouring::categories_in(&colours).map_err(ReproduceError::part)?.named(&names);
        let (gif, still) = film.film(&colouring, 120, 1).map_err(ReproduceError::part)?;
        let last = FILM[0] * FILM[1];
        let mut section = Section::new("What the paper left open: cells of many sites, and ABC")
            .prose(&format!(
                "The paper ends with the wish to fit the Cellular Potts model and to compare with approximate Bayesian computation. Here \
                 cells of two types sort ({}² sites, {} cells, {} steps); their six coefficients, in units of the temperature, are fitted \
                 by the exact likelihood of the parallel dynamics, which needs no simulation, and by ABC, population after population, on \
                 the same simulator; and two coefficients of the Act model from tracks of cells. Attempts to copy a label are counted.",
                self.side,
                self.across * self.across,
                self.steps
            ))
            .film(&gif, &still, "cells of two types that sort", &format!("cells that sort, over {last} steps"))
            .map_err(ReproduceError::part)?
            .table(&self.table(&fitted, &abc, &covered));
        let mut files = vec![("figures/film-cells.gif".to_string(), gif)];
        let figure = self.figure(&fitted, &abc, &tracked);
        let caption = "Left: how far ABC's worst coefficient is off, and its widest posterior, by attempts simulated; the likelihood \
                       simulates none. Right: tracks of cells of the Act model, and cells simulated at the fitted coefficients.";
        section = section.figure(&figure, caption).map_err(ReproduceError::part)?;
        let svg = figure.to_svg().map_err(ReproduceError::part)?;
        files.push(("figures/cells.svg".into(), svg.into_bytes()));
        let attempts: Vec<f64> = abc.simulations.iter().map(|n| n * self.attempts_of_one()).collect();
        let worst: Vec<f64> = abc.means.iter().map(|mean| worst_error(mean)).collect();
        let widest: Vec<f64> = abc.widths.iter().map(|width| relative(width)).collect();
        files.push((
            "numbers/cells-abc.csv".into(),
            csv(&[("attempts", &attempts), ("worst_error", &worst), ("widest", &widest)]),
        ));
        let scores: Vec<f64> = fitted.scores.clone();
        files.push((
            "numbers/cells-likelihood.csv".into(),
            csv(&[
                ("truth", &TRUTH),
                ("estimate", &fitted.estimates),
                ("error", &fitted.errors),
                ("score", &scores),
            ]),
        ));
        Ok(Findings { section, claims: self.claims(&fitted, &covered, &abc, &tracked), files })
    }
}

/// The greatest relative error.
fn worst_error(theta: &[f64]) -> f64 {
    theta.iter().zip(TRUTH).map(|(x, right)| (x - right).abs() / right).fold(0.0, f64::max)
}

/// The greatest width relative to the truth.
fn relative(widths: &[f64]) -> f64 {
    widths.iter().zip(TRUTH).map(|(x, right)| x / right).fold(0.0, f64::max)
}

impl OpenQuestions {
    fn table(&self, fitted: &Fitted, abc: &Populations, covered: &Covered) -> Table {
        let (means, widths) = (abc.means.last(), abc.widths.last());
        let mut table = Table::new(["Coefficient", "Truth", "Likelihood", "ABC", "Intervals that held"]).caption(
            "Estimate ± standard error by the likelihood, mean ± standard deviation of ABC's last population; and how many of the 95 % \
             intervals of as many movies held the truth.",
        );
        for place in 0..6 {
            let of = |list: Option<&Vec<f64>>| list.map_or(f64::NAN, |list| list[place]);
            table = table.row([
                NAMES[place].to_string(),
                format!("{}", TRUTH[place]),
                format!("{:.3} ± {:.3}", fitted.estimates[place], fitted.errors[place]),
                format!("{:.3} ± {:.3}", of(means), of(widths)),
                format!("{} of {}", covered.held[place], covered.movies),
            ]);
        }
        table
    }

    fn figure(&self, fitted: &Fitted, abc: &Populations, tracked: &Tracked) -> Figure {
        let attempts: Vec<f64> = abc.simulations.iter().map(|n| n * self.attempts_of_one()).collect();
        let worst: Vec<f64> = abc.means.iter().map(|mean| worst_error(mean)).collect();
        let widest: Vec<f64> = abc.widths.iter().map(|width| relative(width)).collect();
        let sorting = Panel::new("Sorting, six coefficients")
            .x("attempts simulated")
            .y("relative")
            .log_x()
            .log_y()
            .line("ABC, worst error", &attempts, &worst)
            .line("ABC, widest posterior", &attempts, &widest)
            .target("likelihood, widest error", relative(&fitted.errors));
        let act = Panel::new("Act, mean squared displacement of cells")
            .x("steps")
            .y("MSD, sites²")
            .log_x()
            .log_y()
            .line("simulated at the fit", &tracked.lags, &tracked.simulated)
            .band("95 % of as many cells", &tracked.lags, &tracked.low, &tracked.high)
            .points("tracks", &tracked.lags, &tracked.observed);
        Figure::new("Cells, by likelihood and by ABC").panel(sorting).panel(act)
    }

    fn claims(
        &self,
        fitted: &Fitted,
        covered: &Covered,
        abc: &Populations,
        tracked: &Tracked,
    ) -> Vec<Finding> {
        let open = "left open: “apply the method to more complex models such as the Cellular Potts Model”";
        let worst = fitted.scores.iter().map(|z| z.abs()).fold(0.0, f64::max);
        // Six coefficients, all together.
        let bound = chi_square_below(1, ALARM / 6.0).sqrt();
        let recovered = worst <= bound && !fitted.departs;
        let range = successes_within(covered.movies, 0.95, ALARM / 6.0);
        let all_held = covered.held.iter().all(|held| range.contains(held));
        let spent = abc.simulations.last().copied().unwrap_or(0.0) * self.attempts_of_one();
        let (mean, width) =
            (abc.means.last().cloned().unwrap_or_default(), abc.widths.last().cloned().unwrap_or_default());
        let ratios: Vec<f64> = width.iter().zip(&fitted.errors).map(|(a, b)| a / b).collect();
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let most = ratios.iter().copied().fold(0.0, f64::max);
        let better = worst_error(&fitted.estimates) < worst_error(&mean) && least > 1.0;
        let act_scores: Vec<f64> = (0..2)
            .map(|place| match tracked.errors[place] {
                Some(error) => {
                    (tracked.estimates[place].ln() - ACT[place].ln()).abs() * tracked.estimates[place] / error
                }
                None => f64::INFINITY,
            })
            .collect();
        let act_bound = chi_square_below(1, ALARM / 2.0).sqrt();
        let act_found = act_scores.iter().all(|z| *z <= act_bound) && !tracked.departs;
        // Where the tracks are too few to determine both there is nothing to be held against the truth.
        let determined = tracked.errors.iter().all(Option::is_some);
        let verdict = |holds: bool| if holds { Verdict::Holds } else { Verdict::DoesNotHold };
        let why = |holds: bool, words: String| if holds { String::new() } else { words };
        vec![
            Finding {
                key: "cells-recovered",
                claim: "Six coefficients of sorting cells are recovered from one movie, and cells simulated from them sort as it does".into(),
                said: open.into(),
                measured: format!(
                    "the worst is {:.1} % off, {worst:.2} standard errors (at most {bound:.2}); {}",
                    100.0 * worst_error(&fitted.estimates),
                    fitted.check
                ),
                verdict: verdict(recovered),
                note: why(recovered, fitted.words.clone()),
                parts: "cells-likelihood",
            },
            Finding {
                key: "cells-coverage",
                claim: "Its 95 % intervals hold the truth as often as they say".into(),
                said: open.into(),
                measured: format!(
                    "{} to {} of {} movies, where {} to {} are within chance",
                    covered.held.iter().min().copied().unwrap_or(0),
                    covered.held.iter().max().copied().unwrap_or(0),
                    covered.movies,
                    range.start(),
                    range.end()
                ),
                verdict: verdict(all_held),
                note: why(all_held, "an interval holds too seldom or too often".into()),
                parts: "cells-coverage",
            },
            Finding {
                key: "cells-against-abc",
                claim: "The likelihood is closer than ABC, and narrower, without a simulation".into(),
                said: "left open: a comparison with approximate Bayesian computation".into(),
                measured: format!(
                    "ABC's worst coefficient is {:.0} % off after {spent:.1e} attempts, the likelihood's {:.1} % after none; ABC's \
                     posterior is {least:.1} to {most:.1} times as wide",
                    100.0 * worst_error(&mean),
                    100.0 * worst_error(&fitted.estimates)
                ),
                verdict: verdict(better),
                note: why(
                    better,
                    "one movie's chance: by coefficient ABC's mean may be nearer, or its population is not the posterior yet".into(),
                ),
                parts: "cells-abc",
            },
            Finding {
                key: "act-from-tracks",
                claim: "λ_act and max_act of the Act model are found from tracks of cells alone".into(),
                said: open.into(),
                measured: format!(
                    "{:.2} ± {} (truth {}) and {:.1} ± {} (truth {}), by {:.1e} attempts; {}",
                    tracked.estimates[0],
                    tracked.errors[0].map_or("none".into(), |e| format!("{e:.2}")),
                    ACT[0],
                    tracked.estimates[1],
                    tracked.errors[1].map_or("none".into(), |e| format!("{e:.1}")),
                    ACT[1],
                    tracked.attempts,
                    tracked.words
                ),
                verdict: if determined { verdict(act_found) } else { Verdict::NotTested },
                note: match determined {
                    true => why(act_found, "the estimates are not within their errors".into()),
                    false => "so few tracks do not determine both".into(),
                },
                parts: "cells-act",
            },
        ]
    }
}
