package io.cameleer.agent.model;

import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/** Random identifiers in the form of a version 4 UUID. They need to be unique, not secret, so no Camel thread waits for entropy. */
public final class Ids {

    private Ids() {
    }

    public static String next() {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        long high = random.nextLong() & ~0xF000L | 0x4000L;
        long low = random.nextLong() & 0x3FFFFFFFFFFFFFFFL | 0x8000000000000000L;
        return new UUID(high, low).toString();
    }
}
