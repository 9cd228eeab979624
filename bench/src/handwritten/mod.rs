//! Steps and adjoints of two models in plain loops over rows, fused as far as a patient person would; and updates of single
//! sites, as one writes them first.

pub mod contact_process;
pub mod ising;
pub mod malevanets_kapral;
pub mod susceptible_infected;
pub mod torus;

/// Runs a function with the widest vector instructions of the machine, as the engine does.
#[macro_export]
#[doc(hidden)]
macro_rules! with_widest_vectors {
    ($(#[$about:meta])* pub fn $name:ident($($argument:ident: $kind:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$about])*
        #[allow(unsafe_code, clippy::too_many_arguments)]
        pub fn $name($($argument: $kind),*) $(-> $result)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body($($argument: $kind),*) $(-> $result)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,popcnt")]
                #[allow(clippy::too_many_arguments)]
                fn avx512($($argument: $kind),*) $(-> $result)? { body($($argument),*) }
                #[target_feature(enable = "avx2")]
                #[allow(clippy::too_many_arguments)]
                fn avx2($($argument: $kind),*) $(-> $result)? { body($($argument),*) }
                // SAFETY: the instructions were seen to be there.
                match glauber::engine::Simd::widest() {
                    glauber::engine::Simd::Avx512 => return unsafe { avx512($($argument),*) },
                    glauber::engine::Simd::Avx2 => return unsafe { avx2($($argument),*) },
                    glauber::engine::Simd::Plain => {}
                }
            }
            body($($argument),*)
        }
    };
}
