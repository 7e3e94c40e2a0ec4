//! AWS's own nouns: role ARNs, partitions and regions, temporary credentials.

mod arn;
mod credentials;
mod partition;

pub(crate) use arn::is_name_byte;
pub use arn::{AccountId, ArnError, RoleArn};
pub use credentials::Credentials;
pub use partition::{Partition, Region, RegionError, is_session_label};
