package sqlite

// machineClock is this machine's clock, in steps of a millisecond.
const machineClock = "CAST(unixepoch('subsec') * 1000000 AS BIGINT)"
