mod cda;
mod pdf;
