import { describe, expect, test } from "vitest";
import { formatNbdUri, type NbdUri, NbdUriError, parseNbdUri } from "#src/nbd/uri.ts";

const understood: readonly (readonly [string, NbdUri])[] = [
  ["nbd://host", { address: { kind: "tcp", host: "host", port: 10809 }, exportName: "", tls: false }],
  ["nbd://host/", { address: { kind: "tcp", host: "host", port: 10809 }, exportName: "", tls: false }],
  ["NBD://host:/disk", { address: { kind: "tcp", host: "host", port: 10809 }, exportName: "disk", tls: false }],
  ["nbd://10.0.0.1:9/disk", { address: { kind: "tcp", host: "10.0.0.1", port: 9 }, exportName: "disk", tls: false }],
  ["nbd://[::1]:9/disk", { address: { kind: "tcp", host: "::1", port: 9 }, exportName: "disk", tls: false }],
  [
    "nbd://[fe80::1%25eth0]/",
    { address: { kind: "tcp", host: "fe80::1%eth0", port: 10809 }, exportName: "", tls: false },
  ],
  ["nbd://host//a/../b", { address: { kind: "tcp", host: "host", port: 10809 }, exportName: "/a/../b", tls: false }],
  ["nbd://host/a%20%C3%BC%3F", { address: { kind: "tcp", host: "host", port: 10809 }, exportName: "a ü?", tls: false }],
  ["nbd://host/a+b?other=1", { address: { kind: "tcp", host: "host", port: 10809 }, exportName: "a+b", tls: false }],
  ["nbd+unix:///?socket=/run/s", { address: { kind: "unix", path: "/run/s" }, exportName: "", tls: false }],
  ["nbd+unix:///x?socket=/a%26b=c", { address: { kind: "unix", path: "/a&b=c" }, exportName: "x", tls: false }],
  ["nbds+unix:///x?socket=s", { address: { kind: "unix", path: "s" }, exportName: "x", tls: true }],
  [
    "nbds://host/x?tls-certificates=/etc/pki&tls-hostname=other",
    {
      address: { kind: "tcp", host: "host", port: 10809 },
      exportName: "x",
      tls: true,
      tlsCertificates: "/etc/pki",
      tlsHostname: "other",
    },
  ],
];

const refused: readonly (readonly [string, RegExp])[] = [
  ["", /not an NBD URI/],
  ["host:10809", /not an NBD URI/],
  ["/dev/nbd0", /not an NBD URI/],
  ["http://host/", /"http" is none of nbd/],
  ["nbd+vsock://2/", /"nbd\+vsock" is none of nbd/],
  ["nbd://", /names no host/],
  ["nbd://:10809/", /names no host/],
  ["nbd://host:0/", /0 is not a port/],
  ["nbd://host:65536/", /65536 is not a port/],
  ["nbd://host:http/", /not a host with a port/],
  ["nbd://::1/", /IPv6 addresses stand in brackets/],
  ["nbd://[::1/", /not a host with a port/],
  ["nbd://user@host/", /a user in an NBD URI/],
  ["nbd://host/%", /not percent-encoded/],
  ["nbd://host/%C3", /not percent-encoded/],
  ["nbd://host/a%00b", /zero byte/],
  [`nbd://host/${"n".repeat(4097)}`, /at most 4096 bytes/],
  ["nbd://host/a#b", /%23/],
  ["nbd://host/?socket=/run/s", /nbd\+unix/],
  ["nbd+unix:///x", /needs \?socket=PATH/],
  ["nbd+unix:///x?socket=", /needs \?socket=PATH/],
  ["nbd+unix://host/x?socket=/run/s", /three slashes/],
  ["nbd+unix:///x?socket=/a&socket=/b", /socket stands twice/],
  ["nbd://host/?tls-hostname=x", /must begin with nbds/],
  ["nbds://host/?tls-psk-file=/keys", /pre-shared keys/],
  ["nbds://host/?tls-verify-peer=false", /tls-verify-peer/],
];

describe("an NBD URI", () => {
  test.each(understood)("%s is understood", (text, uri) => {
    expect(parseNbdUri(text)).toEqual(uri);
  });

  test.each(understood)("%s means the same after it was parsed and written again", (text) => {
    const uri = parseNbdUri(text);
    expect(parseNbdUri(formatNbdUri(uri))).toEqual(uri);
  });

  test.each(refused)("%s is refused in words", (text, words) => {
    expect(() => parseNbdUri(text)).toThrow(NbdUriError);
    expect(() => parseNbdUri(text)).toThrow(words);
  });

  test("is written the way people write it", () => {
    const tcp: NbdUri = { address: { kind: "tcp", host: "host", port: 10809 }, exportName: "a b/c", tls: false };
    expect(formatNbdUri(tcp)).toBe("nbd://host/a%20b/c");
    const unix: NbdUri = { address: { kind: "unix", path: "/run/a&b" }, exportName: "x", tls: true, tlsHostname: "h" };
    expect(formatNbdUri(unix)).toBe("nbds+unix:///x?socket=/run/a%26b&tls-hostname=h");
  });
});
