package io.cameleer.agent.command;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class SeenOnceTest {

    @Test
    void when_full_it_refuses_rather_than_forgets_and_takes_again_what_time_has_freed() {
        SeenOnce seen = new SeenOnce(20);
        for (int i = 0; i < 10; i++) {
            assertTrue(seen.take("c" + i, "n" + i, 1_000, 0));
        }
        assertFalse(seen.take("another", "nonce", 1_000, 0), "full");
        assertFalse(seen.take("c0", "fresh", 1_000, 0), "and nothing was forgotten for it");
        long later = 1_000 + 600_000;
        assertFalse(seen.take("another", "nonce", later, later), "kept beyond the expiry, for clocks that are set back");
        assertTrue(seen.take("another", "nonce", later, later + 1));
        assertFalse(seen.take("another", "other", later, later + 1));
        assertFalse(seen.take("other", "nonce", later, later + 1));
        assertTrue(seen.take("nonce", "another", later, later + 1), "an id is no nonce");
    }
}
