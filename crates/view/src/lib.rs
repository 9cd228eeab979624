//! A page that shows a model as it runs, with sliders for its parameters, from a server on this machine alone.
//!
//! [`Server::open`] takes an address on the loopback interface with a random token in it; [`Server::run`] serves one
//! page, which is part of the program and loads nothing from elsewhere, and for every page a socket of its own with an
//! engine of its own: it runs here, the page only draws. A page that is closed ends its engine. [`Remains`] are what fits
//! left: their courses can be gone through on the page, and draws from a posterior stand behind the curves.
//!
//! ```
//! use glauber_models::ModelOptions;
//! use glauber_view::{Server, Source, ViewOptions};
//! let source = Source::new("susceptible-infected", ModelOptions::none());
//! let server = Server::open(source, ViewOptions::default())?;
//! assert!(server.address().starts_with("http://127.0.0.1:"));
//! # Ok::<(), glauber_view::ViewError>(())
//! ```

mod cells;
mod film;
mod knob;
mod lattice_stage;
mod message;
mod observed;
mod page;
mod plane;
mod remains;
mod request;
mod server;
mod session;
mod source;
mod spread;
mod stage;
mod walk;

pub use remains::Remains;
pub use server::{Aside, Server, ViewOptions};
pub use source::Source;

/// Why there is nothing to see.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The model cannot be had, or does not run.
    #[error("{0}")]
    Model(String),
    /// No address to listen at.
    #[error(
        "port {port} of this machine cannot be listened at: {why}; give another --port, or 0 for any that is free"
    )]
    Port {
        /// The port that was asked for.
        port: u16,
        /// What the system says.
        why: std::io::Error,
    },
    /// No thread to answer in.
    #[error("the system gives no thread for the server: {0}")]
    Thread(std::io::Error),
    /// The system gives no random numbers for the token.
    #[error("the system gives no random numbers, without which the page's address could be guessed: {0}")]
    Random(String),
}
