//! Whether an association that was accepted would still be accepted: who may send can be changed
//! while it is open.

use super::negotiate::Agreed;
use crate::current::Current;
use crate::intake::HospitalRoute;
use scanveil_model::{AeTitle, HospitalId};
use std::net::IpAddr;

/// What an association was accepted for.
pub(super) struct Permission {
    routes: Current<Vec<HospitalRoute>>,
    hospital: HospitalId,
    called: AeTitle,
    calling: AeTitle,
    address: IpAddr,
}

impl Permission {
    pub(super) fn new(
        routes: &Current<Vec<HospitalRoute>>,
        agreed: &Agreed,
        address: IpAddr,
    ) -> Self {
        Self {
            routes: routes.clone(),
            hospital: agreed.hospital.clone(),
            called: agreed.called.clone(),
            calling: agreed.calling.clone(),
            address,
        }
    }

    /// Whether it still is.
    pub(super) fn holds(&self) -> bool {
        self.routes.now().iter().any(|route| {
            route.hospital == self.hospital
                && route.called_ae == self.called
                && route.admits(&self.calling, self.address)
        })
    }
}
