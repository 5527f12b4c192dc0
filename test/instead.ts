/** The same, but for some of what it has. */
export function instead<Target extends object>(target: Target, change: Partial<Target>): Target {
  const get = (it: Target, name: string | symbol): unknown => {
    const found = Reflect.get(name in change ? change : it, name);
    return typeof found === "function" ? found.bind(it) : found;
  };
  return new Proxy(target, { get });
}
