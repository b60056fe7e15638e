declare const brand: unique symbol;

/**
 * A `Base` that the compiler keeps apart from every other `Base`: a `DomainId` cannot be passed
 * where a `HostId` is meant. The brand exists only in types.
 */
export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };
