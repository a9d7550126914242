mod cda;
mod pdf;
mod properties;
