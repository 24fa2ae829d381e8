package io.cameleer.agent.mask;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class BodyMaskerTest {

    private final SensitiveKeys keys = SensitiveKeys.defaults().plus(List.of("password", "*token*"));

    static Stream<Arguments> bodies() {
        return Stream.of(
            Arguments.of("plain text with password=x", "plain text with password=x"),
            Arguments.of("", ""),
            Arguments.of("{ \"a\" : 1 }", "{ \"a\" : 1 }"),
            Arguments.of("{\"password\":\"geheim\",\"b\":2}", "{\"password\":\"***\",\"b\":2}"),
            Arguments.of("{\"PassWord\" : \"geheim\" , \"b\":2}", "{\"PassWord\" : \"***\" , \"b\":2}"),
            Arguments.of("{\"pass\\u0077ord\":\"geheim\"}", "{\"pass\\u0077ord\":\"***\"}"),
            Arguments.of("{\"password\":12345.5,\"b\":true}", "{\"password\":\"***\",\"b\":true}"),
            Arguments.of("{\"password\":null}", "{\"password\":\"***\"}"),
            Arguments.of("{\"password\":{\"deep\":[1,{\"x\":\"geheim\"}]},\"b\":2}", "{\"password\":\"***\",\"b\":2}"),
            Arguments.of("[{\"u\":{\"accessToken\":\"geheim\"}},{\"tokens\":[\"geheim\"]}]", "[{\"u\":{\"accessToken\":\"***\"}},{\"tokens\":\"***\"}]"),
            Arguments.of("{\"a\":\"quote \\\" password\\\":\\\"x\",\"password\":\"ge\\\"heim\"}",
                "{\"a\":\"quote \\\" password\\\":\\\"x\",\"password\":\"***\"}"),
            // cut or not well-formed
            Arguments.of("{\"a\":1,\"password\":\"gehe", "{\"a\":1,\"password\":\"***\""),
            Arguments.of("{\"a\":1,\"password\":{\"x\":\"gehe", "{\"a\":1,\"password\":\"***\""),
            Arguments.of("{oops,\"password\":\"geheim\",\"b\":3}", "{oops,\"password\":\"***\",\"b\":3}"),
            Arguments.of("{\"a\":tru, \"x\":{\"password\" : \"geheim\"}}", "{\"a\":tru, \"x\":{\"password\" : \"***\"}}"),
            Arguments.of("{\"password\":\"one\"} {\"password\":\"two\"}", "{\"password\":\"***\"} {\"password\":\"***\"}"),
            // XML
            Arguments.of("<a><password>geheim</password><b>1</b></a>", "<a><password>***</password><b>1</b></a>"),
            Arguments.of("<n:a><n:Password x=\"1\">geheim</n:Password></n:a>", "<n:a><n:Password x=\"1\">***</n:Password></n:a>"),
            Arguments.of("<a password=\"geheim\" b='1'/>", "<a password=\"***\" b='1'/>"),
            Arguments.of("<a myToken='geheim'>x</a>", "<a myToken='***'>x</a>"),
            Arguments.of("<a><password><![CDATA[geh<eim]]></password></a>", "<a><password>***</password></a>"),
            Arguments.of("<a><password>gehe", "<a><password>***"));
    }

    @ParameterizedTest
    @MethodSource("bodies")
    void sensitive_values_go_and_everything_else_stays(String body, String masked) {
        assertEquals(masked, BodyMasker.mask(body, keys));
    }

    @Test
    void a_body_that_was_cut_at_any_place_shows_no_secret() {
        String body = "{\"a\":[1,2,{\"b\":\"x\"}],\"password\":{\"k\":[\"geheim\",\"geheim\"]},\"accessToken\":\"geheim\",\"z\":\"end\"}";
        for (int end = 1; end <= body.length(); end++) {
            String masked = BodyMasker.mask(body.substring(0, end), keys);
            assertFalse(masked.contains("geheim"), masked);
        }
    }

    @Test
    void hostile_bodies_cost_no_more_than_a_moment() {
        assertTimeoutPreemptively(Duration.ofSeconds(10), () -> {
            for (String piece : List.of("{", "[", "{\"a\":", "<a ", "<a>", "\"a\":\"", "<a b=\"", "\\\"", "x:y:")) {
                BodyMasker.mask("{" + piece.repeat(20_000), keys);
                BodyMasker.mask("<" + piece.repeat(20_000), keys);
            }
        });
    }
}
