//! Profiles as documents: imported from other tools, compared, and tested by example.
