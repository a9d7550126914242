//! The second look: searches what was written for everything that identified the patient.
