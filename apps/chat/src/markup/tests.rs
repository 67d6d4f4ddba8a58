mod dangers;
mod naming;
