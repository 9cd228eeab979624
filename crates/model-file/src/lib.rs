//! Reads model files: lattice models as tables of transitions or reactions, without a compiler.
//!
//! A model file is TOML. Everything but `states` (or `[layers]`) is optional:
//!
//! ```toml
//! name = "susceptible-infected"             # default: the file's name
//! description = "news spreads"              # free text; so is reference
//! states = ["unaware", "aware"]             # of each site; the first is number 0
//!                                           # or { layer = "aware", names = ["unaware", "aware"] }
//! neighbourhood = "moore"                   # what count(...) counts: moore, von-neumann, hexagonal, or a name below
//!
//! [lattice]
//! shape = [64, 64]                          # 1, 2 or 3 lengths; default [64, 64]
//! boundary = "periodic"                     # periodic, reflecting or fixed; or one per axis
//! outside = "unaware"                       # beyond fixed edges: a state, or { layer = value }
//!
//! [colours]                                 # what the states are drawn in: "#rrggbb" or the name of a colour
//! aware = "#20242a"
//!
//! [parameters]                              # what is fitted
//! beta = [0.0, 1.0]                         # its interval, or { interval = [0, 1], default = 0.3, description = "" }
//!
//! [constants]                               # what is not; model options may change them
//! speed = 2.0
//!
//! [neighbourhoods]
//! row = [[0, -1], [0, 1]]                   # offsets along the axes of the shape
//! wind = { offsets = [[0, -1], [0, 1]], weights = [2.0, 0.5] }
//! disc = { radius = 2.5 }
//!
//! [covariates]
//! fuel = "fuel.npy"                         # an array of the lattice's shape, or a number for every site
//!
//! [definitions]                             # names for expressions; later ones may use earlier ones
//! exposure = "count(aware)"
//!
//! [start]                                   # a state's probability (one state is left out), a layer's value
//! aware = "centre"                          # or a number, an expression of x, y, z, or { at = [32, 32] }
//!
//! [transitions]                             # probability per step; what is left of 1 stays
//! "unaware -> aware" = "1 - (1 - beta)^exposure"
//! ```
//!
//! One site after another instead of all at once, with another site that each event picks (`there`):
//!
//! ```toml
//! [update]                                  # or the word alone, update = "sublattices"
//! scheme = "random-sequential"              # synchronous, sublattices, random-sequential or continuous-time
//! among = "agent"                           # sites are drawn among those in a state, or { layer = 1 }
//! events = 100                              # of a step, where not as many as sites
//! order = "replacement"                     # or "permutation": every site once
//! there = "von-neumann"                     # a neighbourhood, "anywhere", or { neighbourhood, towards = "expression" }
//! [transitions]                             # this site, the picked one -> this one, the picked one
//! "agent, empty -> empty, agent" = "move * at(mean(is(agent)), there)"
//! ```
//!
//! Under continuous-time transitions and reactions have rates per unit of time; `most` is the highest sum of them at a site.
//!
//! Particles instead of states, or beside them:
//!
//! ```toml
//! [layers]
//! prey = 20                                 # 0 to 20 particles per site, or [lowest, highest]
//! predators = 20
//! [hops]                                    # each particle moves with this probability to a neighbour (von Neumann)
//! prey = "d"                                # or { probability = "d", neighbourhood = "moore" }
//! [reactions]                               # after the hops, at most one per site and step; mass action:
//! "prey -> 2 prey" = "birth"                # rate constant × number of distinct sets of reactants
//! "prey + predators -> 2 predators" = "catch"
//! "predators -> 0" = { probability = "1 - exp(-death * predators)" }
//! ```
//!
//! A reaction does not happen where its products would not fit; hops beyond a layer's capacity are an error of the run.
//!
//! Expressions have `+ - * / ^`, comparisons (1 or 0), `and or not`, `if(c, a, b)`, the functions of [`language`], and
//! the words `x`, `y`, `z` (coordinates from 0), `centre` (1 at the central site), `time` (the step's number), `pi`.
//! Beyond fixed edges covariates and coordinates count as 0.
//!
//! Every mistake is reported with file, line and column; sizes and depths are bounded before anything is made.

// What went wrong and where, and how much is allowed …
mod error;
mod limits;
// … an expression as pieces, as a tree; the functions it may call …
mod functions;
mod lexer;
mod parser;
mod syntax;
// … the TOML as tables that are taken key by key; what they declare, which rules they state …
mod cells;
mod colours;
mod covariate;
mod declare;
mod document;
mod names;
mod neighbourhoods;
mod rules;
mod sheet;
mod tables;
mod update;
// … the model: expressions, start and step through the public builder …
mod events;
mod picked;
mod reactions;
mod read;
mod start;
mod step;
mod there;
mod translate;
// … and models by the name of the catalogue or from a file, with the covariates they want.
mod load;
mod loaded;
mod template;

pub use covariate::{Covariate, CovariateSource};
pub use error::{Mistake, ModelFileError};
pub use load::load;
pub use loaded::{Field, LoadError, Loaded};
pub use read::{language, parse};
pub use template::template;
