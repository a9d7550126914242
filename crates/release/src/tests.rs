mod admission;
mod fixture;
mod making;
mod manifests;
mod short;
mod verifying;
