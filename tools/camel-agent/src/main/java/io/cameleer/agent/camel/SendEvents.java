package io.cameleer.agent.camel;

import org.apache.camel.spi.CamelEvent;
import org.apache.camel.support.EventNotifierSupport;

/** Follows what leaves through an endpoint: which one it was, and the headers by which the next application knows where it came from. */
final class SendEvents extends EventNotifierSupport {

    private final Recorder recorder;

    SendEvents(Recorder recorder) {
        this.recorder = recorder;
        setIgnoreCamelContextEvents(true);
        setIgnoreRouteEvents(true);
        setIgnoreServiceEvents(true);
        setIgnoreStepEvents(true);
        setIgnoreExchangeCreatedEvent(true);
        setIgnoreExchangeCompletedEvent(true);
        setIgnoreExchangeRedeliveryEvents(true);
    }

    @Override
    public boolean isEnabled(CamelEvent event) {
        return switch (event.getType()) {
            case ExchangeSending, ExchangeSent, ExchangeFailureHandled -> true;
            default -> false;
        };
    }

    @Override
    public void notify(CamelEvent event) {
        try {
            // by type: asking an object for its interfaces is dearer
            switch (event.getType()) {
                case ExchangeSending -> {
                    CamelEvent.ExchangeSendingEvent sending = (CamelEvent.ExchangeSendingEvent) event;
                    recorder.sending(sending.getExchange(), sending.getEndpoint().getEndpointUri());
                }
                case ExchangeSent -> {
                    CamelEvent.ExchangeSentEvent sent = (CamelEvent.ExchangeSentEvent) event;
                    recorder.sent(sent.getExchange(), sent.getEndpoint().getEndpointUri());
                }
                case ExchangeFailureHandled -> recorder.failureHandled(((CamelEvent.ExchangeFailureHandledEvent) event).getExchange());
                default -> {
                    // not asked for
                }
            }
        } catch (RuntimeException | LinkageError e) {
            recorder.count(e);
        }
    }
}
