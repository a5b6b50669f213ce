//! The rows of the scenario table: K0 to K8, C1, B1 to B7, H1 and H2, each seen from outside, as a user would.

mod bookinfo;
mod catalog;
mod httpbin;
mod kim;
mod kim_breaking;
mod kim_mirroring;
