/** The longest name of a cluster, in bytes. */
export const MAX_CLUSTER = 1024;
