import { describe, expect, test } from "vitest";
import { RefuseError } from "#src/core/errors.ts";
import { AcceptingHandshake, ConnectingHandshake, type LinkKind } from "#src/wire/handshake.ts";

const token = "what both of us know";

function connecting(own: { token?: string; link?: LinkKind; nonce?: number } = {}): ConnectingHandshake {
  const identity = { token: own.token ?? token, link: own.link ?? "group", nonce: Buffer.alloc(32, own.nonce ?? 1) };
  return new ConnectingHandshake(identity, () => ({ name: "books" }));
}

function accepting(nonce = 2): AcceptingHandshake {
  return new AcceptingHandshake({ token, link: "group", nonce: Buffer.alloc(32, nonce) });
}

function retold(hello: Buffer, change: (fields: Record<string, unknown>) => void): Buffer {
  const fields = JSON.parse(hello.subarray(32).toString()) as Record<string, unknown>;
  change(fields);
  return Buffer.concat([hello.subarray(0, 32), Buffer.from(JSON.stringify(fields))]);
}

test("two who know the token convince each other", () => {
  const [client, server] = [connecting(), accepting()];
  const { proof, hello } = server.greeted(client.challenged(server.challenge));
  expect(hello.text("name", 20)).toBe("books");
  expect(() => client.proven(proof)).not.toThrow();
});

test("the messages have these bytes, for ever", () => {
  const [client, server] = [connecting(), accepting()];
  const hello = client.challenged(server.challenge);
  const { proof } = server.greeted(hello);
  expect(server.challenge.toString()).toBe(`{"versions":{"oldest":2,"newest":2},"nonce":"${"02".repeat(32)}"}`);
  expect(hello.subarray(32).toString()).toBe(
    `{"version":2,"link":"group","nonce":"${"01".repeat(32)}","hello":{"name":"books"}}`,
  );
  expect(hello.subarray(0, 32).toString("hex")).toBe(
    "eabd0ceff10b8906aeae778689731641862a580c0652b8ef2b95d4b3fc4fc55f",
  );
  expect(proof.toString("hex")).toBe("0e9e6cd27506b17ab5e27ec97ee6294b5aa1666fceaf89de4bf7a4bcd9e46964");
});

test("the token does not travel", () => {
  const [client, server] = [connecting(), accepting()];
  const hello = client.challenged(server.challenge);
  const { proof } = server.greeted(hello);
  const said = Buffer.concat([server.challenge, hello, proof]);
  expect(said.includes(token)).toBe(false);
  expect(said.includes(Buffer.from(token).toString("hex"))).toBe(false);
});

test("who does not know the token is refused, on either side", () => {
  const [liar, server] = [connecting({ token: "a guess" }), accepting()];
  const hello = liar.challenged(server.challenge);
  expect(() => server.greeted(hello)).toThrow(new RefuseError("the token is not the right one"));
  const [client, impostor] = [
    connecting(),
    new AcceptingHandshake({ token: "a guess", link: "group", nonce: Buffer.alloc(32) }),
  ];
  client.challenged(impostor.challenge);
  expect(() => client.proven(Buffer.alloc(32))).toThrow("does not know the token");
});

test("a hello that was overheard opens nothing", () => {
  const overheard = connecting().challenged(accepting(2).challenge);
  expect(() => accepting(3).greeted(overheard)).toThrow("the token is not the right one");
});

test("a client's own proof does not pass for the server's", () => {
  const [client, server] = [connecting(), accepting()];
  const hello = client.challenged(server.challenge);
  expect(() => client.proven(hello.subarray(0, 32))).toThrow("does not know the token");
});

test("nothing of a hello can be altered on its way", () => {
  const hello = connecting().challenged(accepting().challenge);
  for (let at = 0; at < hello.length; at++) {
    const altered = Buffer.from(hello);
    altered[at] = (altered[at] as number) ^ 1;
    expect(() => accepting().greeted(altered), `byte ${at}`).toThrow(RefuseError);
  }
});

test("a hello that was cut anywhere is refused", () => {
  const hello = connecting().challenged(accepting().challenge);
  for (let end = 0; end < hello.length; end++) {
    expect(() => accepting().greeted(hello.subarray(0, end))).toThrow(RefuseError);
  }
});

test("a link of another kind is refused in words", () => {
  const hello = connecting({ link: "volume" }).challenged(accepting().challenge);
  expect(() => accepting().greeted(hello)).toThrow("a group link is offered here, no volume link");
});

describe("fault 29: another version is refused in words before anything else", () => {
  test("by the side that connects", () => {
    const challenge = Buffer.from('{"versions":{"oldest":3,"newest":4},"nonce":"00"}');
    expect(() => connecting().challenged(challenge)).toThrow(
      "the other side speaks versions 3 to 4 of the protocol, this side version 2",
    );
  });

  test("by the side that was connected to, whatever the proof is worth", () => {
    const hello = retold(connecting().challenged(accepting().challenge), (fields) => {
      fields.version = 3;
    });
    expect(() => accepting().greeted(hello)).toThrow(
      "the other side speaks version 3 of the protocol, this side version 2",
    );
  });

  test("the first one, which did not tell what the remote has", () => {
    const challenge = Buffer.from('{"versions":{"oldest":1,"newest":1},"nonce":"00"}');
    expect(() => connecting().challenged(challenge)).toThrow(
      "the other side speaks version 1 of the protocol, this side version 2",
    );
  });

  test("a side that also speaks newer versions is talked to", () => {
    const challenge = Buffer.from(`{"versions":{"oldest":1,"newest":4},"nonce":"${"ab".repeat(32)}"}`);
    expect(connecting().challenged(challenge).subarray(32).toString()).toContain('"version":2');
  });
});

test.each(["", "{", "[]", "null", "7", '{"versions":1}', '{"versions":{"oldest":1,"newest":1}}', '{"nonce":"zz"}'])(
  "the challenge %j is refused",
  (text) => {
    expect(() => connecting().challenged(Buffer.from(text))).toThrow(RefuseError);
  },
);
