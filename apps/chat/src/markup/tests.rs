mod dangers;
mod drawing;
mod naming;
mod strict;
