package enum

// NeverDue is the sort key of a task without a due date: the last millisecond
// of the year 9999, after every date that can be set.
const NeverDue int64 = 253402300799999
