/** Certificates, keys and tokens, read from where the configuration says they are. */
import { RefuseError } from "#src/core/errors.ts";
import { tokenCharactersMin } from "#src/core/limits.ts";
import { readTextFile } from "#src/host/node/text-file.ts";
import { checkCredentials } from "#src/host/node/tls-credentials.ts";
import type { TlsCredentials } from "#src/host/socket.ts";
import { systemReason } from "#src/host/system-words.ts";

export interface TlsFiles {
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly caFile?: string | undefined;
}

/** Undefined: there is to be no TLS. `section`: for example `nbd.tls`. */
export function readCredentials(files: TlsFiles, section: string): TlsCredentials | undefined {
  const pem = (name: keyof TlsFiles) => {
    const file = files[name];
    return file === undefined ? undefined : readPem(file, `${section}.${name}`);
  };
  const [cert, key, ca] = [pem("certFile"), pem("keyFile"), pem("caFile")];
  if (cert === undefined && key === undefined && ca === undefined) return undefined;
  const credentials = {
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(ca === undefined ? {} : { ca }),
  };
  try {
    checkCredentials(credentials);
  } catch (error) {
    throw new RefuseError(`${section} cannot be used: ${(error as Error).message}`, { cause: error });
  }
  return credentials;
}

function readPem(file: string, what: string): string {
  const text = readNamed(file, what);
  // What has no such line is read as no certificates at all, and every client would be turned away.
  if (text.includes("-----BEGIN ")) return text;
  throw new RefuseError(`${what} ${file} holds no PEM text ("-----BEGIN …")`);
}

export interface TokenPlace {
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
}

/** Undefined: there is to be none. `section`: for example `wire`. */
export function readToken({ token, tokenFile }: TokenPlace, section: string): string | undefined {
  if (token !== undefined && tokenFile !== undefined) {
    throw new RefuseError(`${section}.token and ${section}.tokenFile are both set: take one of them away`);
  }
  if (tokenFile !== undefined) return checkedToken(readTokenFile(tokenFile, `${section}.tokenFile`), tokenFile);
  return token === undefined ? undefined : checkedToken(token, `${section}.token`);
}

/** The first line of the file. */
export function readTokenFile(file: string, what: string): string {
  return (readNamed(file, what).split("\n", 1)[0] as string).trim();
}

function checkedToken(token: string, where: string): string {
  if (token.length >= tokenCharactersMin && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new RefuseError(
    `${where}: a token has at least ${tokenCharactersMin} visible characters; 'openssl rand -hex 32' makes a good one`,
  );
}

function readNamed(file: string, what: string): string {
  try {
    return readTextFile(file);
  } catch (error) {
    throw new RefuseError(`${what} ${file} cannot be read: ${systemReason(error) ?? (error as Error).message}`, {
      cause: error,
    });
  }
}
