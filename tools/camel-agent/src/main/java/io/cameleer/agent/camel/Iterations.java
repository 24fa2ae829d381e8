package io.cameleer.agent.camel;

import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;

import io.cameleer.agent.model.ProcessorRecord;

/**
 * Says of a record in which round of a split, a multicast or a loop it ran. Camel leaves its index properties on an exchange beyond the
 * construct they belong to, so only a direct child reads them; records further in take over what their parent knows.
 */
final class Iterations {

    private Iterations() {
    }

    static void fill(ProcessorRecord record, Exchange exchange) {
        ProcessorRecord parent = record.parent;
        if (parent == null) {
            return;
        }
        record.splitIndex = parent.splitIndex;
        record.multicastIndex = parent.multicastIndex;
        record.loopIndex = parent.loopIndex;
        switch (parent.processorType) {
            case "split" -> {
                record.splitIndex = number(exchange, ExchangePropertyKey.SPLIT_INDEX);
                iteration(record, record.splitIndex, number(exchange, ExchangePropertyKey.SPLIT_SIZE));
            }
            case "multicast" -> {
                record.multicastIndex = number(exchange, ExchangePropertyKey.MULTICAST_INDEX);
                iteration(record, record.multicastIndex, null);
            }
            case "loop" -> {
                record.loopIndex = number(exchange, ExchangePropertyKey.LOOP_INDEX);
                iteration(record, record.loopIndex, number(exchange, ExchangePropertyKey.LOOP_SIZE));
            }
            default -> {
                record.iteration = parent.iteration;
                record.iterationSize = parent.iterationSize;
            }
        }
    }

    private static void iteration(ProcessorRecord record, Integer index, Integer size) {
        record.iteration = index;
        record.iterationSize = size;
    }

    private static Integer number(Exchange exchange, ExchangePropertyKey key) {
        return exchange.getProperty(key) instanceof Integer number ? number : null;
    }
}
