package io.cameleer.agent.mask;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.Test;

class MaskedUrisTest {

    private final AtomicInteger asked = new AtomicInteger();
    private final MaskedUris uris = new MaskedUris(uri -> {
        asked.incrementAndGet();
        return uri;
    });
    private final SensitiveKeys keys = SensitiveKeys.defaults();

    @Test
    void an_address_is_masked_once() {
        for (int i = 0; i < 3; i++) {
            assertEquals("ftp://me:xxxxxx@h:21/dir", uris.mask("ftp://me:geheim@h:21/dir", keys));
        }
        assertEquals(1, asked.get());
    }

    @Test
    void other_sensitive_names_count_at_once() {
        assertEquals("http://h?card=17", uris.mask("http://h?card=17", keys));
        assertEquals("http://h?card=xxxxxx", uris.mask("http://h?card=17", keys.plus(List.of("card"))));
        assertEquals("http://h?card=17", uris.mask("http://h?card=17", keys));
    }

    @Test
    void addresses_without_end_fill_no_memory_and_are_masked_all_the_same() {
        for (int i = 0; i < 3 * MaskedUris.MOST; i++) {
            assertEquals("http://h/" + i + "?token=xxxxxx", uris.mask("http://h/" + i + "?token=geheim", keys));
        }
        String tail = "x".repeat(MaskedUris.LONGEST);
        MaskedUris empty = new MaskedUris(uri -> uri);
        assertEquals("http://h?pwd=xxxxxx&a=" + tail, empty.mask("http://h?pwd=geheim&a=" + tail, keys));
        assertEquals(0, empty.size());
        assertEquals(MaskedUris.MOST, uris.size());
    }
}
