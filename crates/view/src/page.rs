//! Holds the page: one file without a network.

/// The page as it is served.
pub(crate) fn page() -> String {
    include_str!("page/page.html")
        .replace("/*STYLE*/", include_str!("page/page.css"))
        .replace("/*SCRIPT*/", include_str!("page/page.js"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_whole_and_loads_nothing() {
        let page = page();
        assert!(!page.contains("/*STYLE*/") && !page.contains("/*SCRIPT*/"));
        for elsewhere in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!page.contains(elsewhere), "{elsewhere}");
        }
    }
}
