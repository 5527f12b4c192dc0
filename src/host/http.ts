/** The HTTP port: whole requests and whole answers, both small. What is malformed, slow or too long never gets here. */

export interface HttpRequest {
  readonly method: string;
  /** The path with what follows it, as it came: nothing is decoded. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type HttpHandler = (request: HttpRequest) => Promise<HttpResponse>;

export interface HttpListener {
  readonly host: string;
  readonly port: number;
  /** Answers what was asked already, then closes all connections. */
  close(): Promise<void>;
}
