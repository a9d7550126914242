mod fixture;
mod making;
mod manifests;
mod verifying;
