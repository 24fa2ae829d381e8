package io.cameleer.agent.mask;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SensitiveKeysTest {

    private final SensitiveKeys keys = SensitiveKeys.defaults().plus(List.of("*password*", "pin?", "a*b*c", "Card-Number"));

    @ParameterizedTest
    @CsvSource({
        "Authorization, true", "authorization, true", "PROXY-AUTHORIZATION, true", "Set-Cookie, true", "cookie, true",
        "x-api-key, true", "X-Auth-Token, true", "card-number, true",
        "Cookies, false", "Authorization2, false", "X-API, false", "'', false",
        "userPasswordHash, true", "password, true", "passwor, false",
        "pin1, true", "pin, false", "pin12, false",
        "abc, true", "aXbXc, true", "aXbXcd, false", "acb, false",
    })
    void a_name_is_matched_exactly_or_by_pattern_whatever_its_case(String name, boolean sensitive) {
        assertEquals(sensitive, keys.matches(name));
    }
}
