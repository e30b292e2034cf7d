/**
 * The number of everything that the module keeps in shared data: of its byte layouts, and of what its parser makes of a configuration's
 * text. It is part of every shared value's name, so a build reads nothing that a build with another number has written. Whoever
 * changes a layout, or what a text means, adds one; it has two digits.
 */
export const LAYOUT: u32 = 1;
