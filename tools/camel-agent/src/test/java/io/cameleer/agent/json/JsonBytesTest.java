package io.cameleer.agent.json;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.List;

import org.junit.jupiter.api.Test;

class JsonBytesTest {

    private static String of(JsonBytes json) {
        return new String(json.array(), 0, json.length(), StandardCharsets.UTF_8);
    }

    @Test
    void every_text_comes_back_from_a_parser_as_it_was() {
        StringBuilder all = new StringBuilder();
        for (char c = 0; c < 0x800; c++) {
            all.append(c);
        }
        for (String text : List.of("", "plain", "\"", "\\", "a\nb\tc\u0000", "\u007f\u0080\u2028\u4f60", "\ud83d\ude00", all.toString(), "x".repeat(20_000))) {
            JsonBytes json = new JsonBytes();
            json.raw("{\"t\":".getBytes(StandardCharsets.US_ASCII)).text(text).raw('}');
            assertEquals(text, JsonText.object(of(json).getBytes(StandardCharsets.UTF_8)).get("t"));
        }
    }

    @Test
    void half_a_surrogate_pair_does_not_spoil_the_rest() {
        JsonBytes json = new JsonBytes();
        json.text("a\ud83d\"b").text("\ude00");
        assertEquals("\"a?\\\"b\"\"?\"", of(json));
    }

    @Test
    void numbers_are_written_as_java_writes_them() {
        for (long number : new long[] {0, 1, 9, 10, 99, 100, -1, -10, 1_764_000_000_123L, Long.MAX_VALUE, Long.MIN_VALUE}) {
            assertEquals(Long.toString(number), of(new JsonBytes().number(number)));
        }
        assertEquals("007", of(new JsonBytes().digits(7, 3)));
    }

    @Test
    void what_is_cut_off_is_gone_and_memory_is_given_back() {
        JsonBytes json = new JsonBytes();
        json.text("stays");
        int length = json.length();
        json.text("goes".repeat(10_000));
        json.cut(length);
        assertEquals("\"stays\"", of(json));
        json.clear(16_384);
        assertEquals(8_192, json.array().length);
        assertEquals(0, json.length());
    }
}
