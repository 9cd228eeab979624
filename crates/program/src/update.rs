//! Says when a rule is applied: to all sites at once, colour by colour, site after site, or at random times.
//!
//! The rule is the same text under all of them: what the values at a site become, given what is around it. Under
//! [`Update::Synchronous`] it reads the state before the step; under the others the present state, and it may then also
//! read and write another site ([`crate::There`]), since no two sites change at once.

use serde::{Deserialize, Serialize};

/// When a rule is applied to the sites of a lattice, and what a step is.
///
/// ```
/// use glauber_program::{Pick, Update};
/// assert_eq!("random-sequential".parse::<Update>(), Ok(Update::sequential(Pick::AnySite)));
/// assert!("randomly".parse::<Update>().unwrap_err().contains("sublattices"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Update {
    /// A step: all sites at once, from the state before.
    #[default]
    Synchronous,
    /// A step: the colours of a colouring of the lattice one after another, each site once, from the present state. The
    /// colours are such that no two sites of one read or write one another ([`glauber_lattice::Colouring`]).
    Sublattices,
    /// A step: as many events as there are sites, one after another, each at a site that is picked for it.
    RandomSequential {
        /// How the site of an event is picked.
        pick: Pick,
        /// How many events a step has, where it is not as many as there are sites to pick from.
        events: Option<u32>,
    },
    /// A step: one unit of time, in which every site has the events whose rates the rule states
    /// ([`crate::Scope::rates`]), at the random times of independent Poisson processes.
    ///
    /// It is done by uniformisation (Jensen 1953), which is exact in law: N r events in a unit of time on average, with r
    /// the highest sum of rates at one site, each at a site drawn uniformly, where transition k happens with probability
    /// rₖ/r and otherwise nothing.
    ContinuousTime,
}

/// How the site of an event is picked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pick {
    /// Uniformly from all sites, with replacement.
    #[default]
    AnySite,
    /// All sites once in a step, in an order drawn anew for every step.
    EachOnce,
    /// Uniformly, with replacement, from the sites that are in a state at that moment: agents.
    Among {
        /// The layer.
        layer: String,
        /// The state.
        state: i32,
    },
}

/// The words for schemes, as every face takes them.
pub const UPDATES: [&str; 4] = ["synchronous", "sublattices", "random-sequential", "continuous-time"];

/// How a note on choices of another update begins.
pub(crate) const IDLE_CHOICES: &str = "the model's choices for random-sequential update";

impl Update {
    /// Random sequential update with as many events in a step as there are sites to pick from.
    pub fn sequential(pick: Pick) -> Update {
        Update::RandomSequential { pick, events: None }
    }

    /// Its word.
    pub fn name(&self) -> &'static str {
        match self {
            Update::Synchronous => UPDATES[0],
            Update::Sublattices => UPDATES[1],
            Update::RandomSequential { .. } => UPDATES[2],
            Update::ContinuousTime => UPDATES[3],
        }
    }

    /// Its word with the choices it has, on one line: what a file of states says that they were simulated under.
    ///
    /// ```
    /// # use glauber_program::{Pick, Update};
    /// let agents = Pick::Among { layer: "cell".into(), state: 1 };
    /// assert_eq!(Update::sequential(agents).in_full(), "random-sequential, among cell = 1");
    /// ```
    pub fn in_full(&self) -> String {
        let mut text = self.name().to_string();
        if let Update::RandomSequential { pick, events } = self {
            match pick {
                Pick::AnySite => {}
                Pick::EachOnce => text += ", order = permutation",
                Pick::Among { layer, state } => text += &format!(", among {layer} = {state}"),
            }
            text += &events.map_or_else(String::new, |events| format!(", events = {events}"));
        }
        text
    }

    /// What a rule that is applied so is applied as when another update is asked for, and what a reader must know then.
    ///
    /// Agents stay agents: a rule written for them means nothing at other sites, so under any other random sequential
    /// update sites are still drawn among them.
    ///
    /// # Errors
    /// In words, where the other update would apply a rule for agents at all sites.
    ///
    /// ```
    /// # use glauber_program::{Pick, Update};
    /// let agents = Update::sequential(Pick::Among { layer: "cell".into(), state: 1 });
    /// assert_eq!(agents.replaced(Update::sequential(Pick::AnySite)), Ok((agents.clone(), None)));
    /// assert!(agents.replaced(Update::Sublattices).is_err());
    /// ```
    pub fn replaced(&self, other: Update) -> Result<(Update, Option<String>), String> {
        let Update::RandomSequential { pick, events } = self else { return Ok((other, None)) };
        match (pick, other) {
            (Pick::Among { .. }, other @ Update::RandomSequential { pick: Pick::Among { .. }, .. }) => {
                Ok((other, None))
            }
            (Pick::Among { .. }, Update::RandomSequential { pick: Pick::AnySite, events: others }) => {
                let kept = Update::RandomSequential { pick: pick.clone(), events: others.or(*events) };
                Ok((kept, None))
            }
            (Pick::Among { layer, state }, _) => Err(format!(
                "the rule is one for agents, sites that are drawn among those where `{layer}` is {state}, and would now be \
                 applied at all sites: write the condition into the rule (where `{layer}` is not {state}, everything \
                 stays as it is), leave `among` out, and build the model for this update"
            )),
            (_, other @ Update::RandomSequential { .. }) => Ok((other, None)),
            (_, other) => {
                let own = self.in_full();
                let choices = own.split_once(", ").map(|(_, choices)| choices);
                let note = choices
                    .map(|choices| format!("{IDLE_CHOICES} ({choices}) are without effect under {other}"));
                Ok((other, note))
            }
        }
    }

    /// Whether sites are picked one after another.
    pub fn is_by_events(&self) -> bool {
        matches!(self, Update::RandomSequential { .. } | Update::ContinuousTime)
    }

    /// What a step is, in words.
    ///
    /// ```
    /// # use glauber_program::Update;
    /// assert!(Update::ContinuousTime.words().starts_with("one unit of time"));
    /// ```
    pub fn words(&self) -> String {
        match self {
            Update::Synchronous => "all sites at once, from the state before".into(),
            Update::Sublattices => "colour after colour, each site once, from the present state".into(),
            Update::RandomSequential { pick, events } => {
                let many = events.map_or_else(
                    || match pick {
                        Pick::Among { .. } => {
                            "as many events as there are such sites when it begins".to_string()
                        }
                        _ => "as many events as sites".to_string(),
                    },
                    |events| format!("{events} events"),
                );
                let pick = match pick {
                    Pick::AnySite => "at a site drawn uniformly, with replacement".to_string(),
                    Pick::EachOnce => "all sites in a random order".to_string(),
                    Pick::Among { layer, state } => {
                        format!("at a site drawn among those where {layer} is {state}")
                    }
                };
                format!("{many}, one after another, {pick}")
            }
            Update::ContinuousTime => {
                "one unit of time, with events at the rates that the rule states".into()
            }
        }
    }
}

impl std::fmt::Display for Update {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Update {
    type Err = String;

    fn from_str(word: &str) -> Result<Update, String> {
        let known = [
            Update::Synchronous,
            Update::Sublattices,
            Update::sequential(Pick::AnySite),
            Update::ContinuousTime,
        ];
        let found = known.into_iter().find(|update| update.name() == word);
        found.ok_or_else(|| {
            format!("there is no update called \"{word}\": it is one of {}", UPDATES.join(", "))
        })
    }
}
