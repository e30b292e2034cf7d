// Callers with a mesh identity of their own. Each certificate signs itself; they are worth nothing outside of these tests.
export type Caller = { cert: string; key: string };

/** spiffe://cluster.local/ns/demo/sa/alice */
export const alice: Caller = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBrTCCAVOgAwIBAgIUbr3SXPBtGy5AB21BIzDnVDcjkOkwCgYIKoZIzj0EAwIw
EDEOMAwGA1UEAwwFYWxpY2UwIBcNMjYxMTI1MjIzODUwWhgPMjEyNjExMDEyMjM4
NTBaMBAxDjAMBgNVBAMMBWFsaWNlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
kLDbJOXNUxIpbH2vpcylTXGX4k1QlRpqzs/9X7I7Liw+KzBxdAQmz8WgSmQ/oKMk
W1gCrUh5vW+/yC3yzLJUCqOBiDCBhTAdBgNVHQ4EFgQU25g4ajMYQ0ui040ZWR24
GAzwYDMwHwYDVR0jBBgwFoAU25g4ajMYQ0ui040ZWR24GAzwYDMwDwYDVR0TAQH/
BAUwAwEB/zAyBgNVHREEKzAphidzcGlmZmU6Ly9jbHVzdGVyLmxvY2FsL25zL2Rl
bW8vc2EvYWxpY2UwCgYIKoZIzj0EAwIDSAAwRQIhAN3VCaEvUGZjL6wvdlsxoZB5
KvDTdxzGZDQwy+lieQ9xAiA0Nz+nOCeNYoAu9P38ryyi9PvKnBUJN/P43oC5yP6O
ZA==
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgcIGPJ8dhRzAkqh+v
D8pMS162MbTDeiMfBtkpsUJ3+rqhRANCAASQsNsk5c1TEilsfa+lzKVNcZfiTVCV
GmrOz/1fsjsuLD4rMHF0BCbPxaBKZD+goyRbWAKtSHm9b7/ILfLMslQK
-----END PRIVATE KEY-----`,
};

/** spiffe://cluster.local/ns/demo/sa/bob */
export const bob: Caller = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBpzCCAU2gAwIBAgIUAhSITdiNfGFAnhDUQR07u7DKQT4wCgYIKoZIzj0EAwIw
DjEMMAoGA1UEAwwDYm9iMCAXDTI2MTEyNTIyMzg1MFoYDzIxMjYxMTAxMjIzODUw
WjAOMQwwCgYDVQQDDANib2IwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARRCjKs
X6k69wyR/hbRpAFhcjy9JGiRsDNDn+v6o7T5pabVf3cv3KmffJupryZ/kIyZgc9r
ojqh/gteSNLp1/r2o4GGMIGDMB0GA1UdDgQWBBTSbOvboHUzO6gSKOnYYPY2wa9G
MzAfBgNVHSMEGDAWgBTSbOvboHUzO6gSKOnYYPY2wa9GMzAPBgNVHRMBAf8EBTAD
AQH/MDAGA1UdEQQpMCeGJXNwaWZmZTovL2NsdXN0ZXIubG9jYWwvbnMvZGVtby9z
YS9ib2IwCgYIKoZIzj0EAwIDSAAwRQIgStuX3I3QD78Rp7rShbhYhINo9UhmpdMu
yaaiN/28Q2ICIQDn4JledihRDwtWKF7R3N5wo1N2usdMDuiPgWtbKuX4qw==
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgWaZ2nxEsH3rKm26/
w/gmDi/2mNtwoFjodr3eKWwcewGhRANCAARRCjKsX6k69wyR/hbRpAFhcjy9JGiR
sDNDn+v6o7T5pabVf3cv3KmffJupryZ/kIyZgc9rojqh/gteSNLp1/r2
-----END PRIVATE KEY-----`,
};
