package io.cameleer.agent.mask;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UriMaskerTest {

    @ParameterizedTest
    @CsvSource({
        "direct://a, direct://a",
        "http://h/p?q=1&password=geheim&r=2, http://h/p?q=1&password=xxxxxx&r=2",
        "ftp://me:geheim@h:21/dir, ftp://me:xxxxxx@h:21/dir",
        "jms:q?clientSecret=RAW(geh&eim)&x=1, jms:q?clientSecret=xxxxxx&x=1",
        "aws2-s3://b?accessKey=geheim&secretKey=geheim&region=eu, aws2-s3://b?accessKey=xxxxxx&secretKey=xxxxxx&region=eu",
        "http://h?authorization=geheim, http://h?authorization=xxxxxx",
        "seda:a?size=1, seda:a?size=1",
    })
    void an_address_shows_no_secret(String uri, String masked) {
        assertEquals(masked, UriMasker.mask(uri, SensitiveKeys.defaults()));
    }
}
