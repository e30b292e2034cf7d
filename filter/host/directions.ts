// The directions of listeners, as the host numbers them; 0 is none.
export const INBOUND: u32 = 1;
export const OUTBOUND: u32 = 2;
