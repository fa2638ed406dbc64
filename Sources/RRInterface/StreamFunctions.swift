// Functions have the names of the header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CRRData
internal import RRDatasets
internal import RRFormats
internal import RRSchemas
internal import RRStreaming
internal import RRTensor

// MARK: Opening

/// Opens a stream of what handles stand for.
private func open(
    _ dataset: OpaquePointer?, _ masks: OpaquePointer?, _ options: UnsafePointer<CChar>?,
    _ stream: UnsafeMutablePointer<OpaquePointer?>?,
    from place: (() throws -> CursorFile) throws -> StreamPosition
) throws {
    let dataset = try Handle<Dataset>.value(of: dataset, "dataset")
    let masks = try masks.map { try Handle<MaskSet>.value(of: $0, "mask set") }
    guard stream != nil else { throw ArgumentError.missing("place for the result") }
    try Handle.give(OpenStream(dataset, masks, StreamRequest(options), from: place), to: stream)
}

@c @implementation
public func rr_stream_open(
    _ dataset: OpaquePointer?, _ masks: OpaquePointer?, _ options: UnsafePointer<CChar>?,
    _ cursor: UnsafePointer<CChar>?, _ stream: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> rr_status {
    answer(error) {
        try open(dataset, masks, options, stream) { file in
            guard let cursor else { return .beginning }
            return try file().position(parsing: Array(String(cString: cursor).utf8))
        }
        return RR_OK
    }
}

@c @implementation
public func rr_stream_open_at(
    _ dataset: OpaquePointer?, _ masks: OpaquePointer?, _ options: UnsafePointer<CChar>?, _ epoch: Int64,
    _ position: Int64, _ stream: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> rr_status {
    answer(error) {
        try open(dataset, masks, options, stream) { _ in
            StreamPosition(epoch: Int(epoch), position: Int(position))
        }
        return RR_OK
    }
}

@c @implementation
public func rr_stream_close(_ stream: OpaquePointer?) { Handle<OpenStream>.close(stream) }

// MARK: Where it is

@c @implementation
public func rr_stream_describe(
    _ stream: OpaquePointer?, _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> rr_status {
    answer(error) {
        let open = try Handle<OpenStream>.value(of: stream, "stream")
        let stream = open.stream
        let facts: JSONValue = [
            "split": .string(stream.split), "batches_per_epoch": .integer(stream.batchesPerEpoch),
            "samples_per_epoch": .integer(stream.samplesPerEpoch), "batches": .integer(stream.batchCount),
            "samples": .integer(stream.sampleCount), "has_annotation": .bool(stream.hasAnnotation),
            "epoch": .integer(open.start.epoch), "position": .integer(open.start.position),
        ]
        try give(facts.serialized(), to: json)
        return RR_OK
    }
}

@c @implementation
public func rr_stream_cursor(
    _ stream: OpaquePointer?, _ epoch: Int64, _ position: Int64,
    _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> rr_status {
    answer(error) {
        let open = try Handle<OpenStream>.value(of: stream, "stream")
        guard epoch >= 0, position >= 0 else {
            throw ArgumentError.wrong("epoch and position of a cursor are numbers from 0 on")
        }
        try give(open.cursor(of: StreamPosition(epoch: Int(epoch), position: Int(position))), to: json)
        return RR_OK
    }
}

// MARK: Batches

@c @implementation
public func rr_stream_next(
    _ stream: OpaquePointer?, _ milliseconds: Int64, _ batch: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> rr_status {
    answer(error) {
        let open = try Handle<OpenStream>.value(of: stream, "stream")
        guard let batch else { throw ArgumentError.missing("place for the batch") }
        batch.pointee = nil
        let duration: Duration = milliseconds < 0 ? .seconds(Int64(UInt32.max)) : .milliseconds(milliseconds)
        repeat {
            switch try open.stream.next(within: duration) {
            case .batch(let filled):
                try Handle.give(
                    OpenBatch(
                        batch: filled, elementType: open.dataset.elementType, isRaw: open.request.isRaw,
                        hasMasks: open.masks != nil), to: batch)
                return RR_OK
            case .end: return open.isCancelled ? RR_CANCELLED : RR_END
            case .tooLate: continue
            }
        } while milliseconds < 0
        return RR_TOO_LATE
    }
}

@c @implementation
public func rr_stream_cancel(_ stream: OpaquePointer?) {
    (try? Handle<OpenStream>.value(of: stream, "stream"))?.cancel()
}

@c @implementation
public func rr_batch_arrays(_ batch: OpaquePointer?, _ arrays: UnsafeMutablePointer<rr_arrays>?) -> rr_status
{
    answer(nil) {
        let open = try Handle<OpenBatch>.value(of: batch, "batch")
        let batch = open.batch
        guard let arrays, arrays.pointee.size >= MemoryLayout<rr_arrays>.size else {
            throw ArgumentError.wrong("the size of the arrays must be set to sizeof(rr_arrays)")
        }
        func start<Element>(_ elements: UnsafeBufferPointer<Element>) -> UnsafeMutablePointer<Element>? {
            UnsafeMutablePointer(mutating: elements.baseAddress)
        }
        let annotated = batch.annotated.withUnsafeBytes { UnsafeMutableRawPointer(mutating: $0.baseAddress) }
        // The rest is of a later version that the caller was compiled with.
        arrays.pointee = rr_arrays(
            size: arrays.pointee.size, count: Int64(batch.count),
            channels: Int64(batch.imageShape.channels), height: Int64(batch.imageShape.height),
            width: Int64(batch.imageShape.width), images: open.images,
            image_type: open.isRaw ? RR_STORED : RR_FLOAT32,
            labels: batch.labels.withUnsafeBufferPointer(start),
            index: batch.indices.withUnsafeBufferPointer(start),
            masks: open.hasMasks ? batch.masks.withUnsafeBufferPointer(start) : nil,
            annotated: annotated?.assumingMemoryBound(to: UInt8.self), epoch: Int64(batch.epoch),
            step: Int64(batch.step), next_epoch: Int64(batch.next.epoch),
            next_position: Int64(batch.next.position))
        return RR_OK
    }
}

@c @implementation
public func rr_batch_copy(
    _ batch: OpaquePointer?, _ target: UnsafePointer<rr_target>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> rr_status {
    answer(error) {
        let open = try Handle<OpenBatch>.value(of: batch, "batch")
        let batch = open.batch
        let target = try Target(target, of: batch.imageShape, elementType: open.elementType)
        try target.check(room: batch.count)
        guard target.wantsStoredImages == open.isRaw else {
            throw ArgumentError.wrong(
                "the stream gives images \(open.isRaw ? "as they are stored" : "as float32"), and the target wants the other"
            )
        }
        let (imageSize, maskSize) = (open.imageSize, batch.imageShape.elementCount)
        for place in 0..<batch.count {
            if let images = open.images {
                target.setImage(
                    place, UnsafeRawBufferPointer(start: images + place * imageSize, count: imageSize))
            }
            try batch.masks.withUnsafeBufferPointer { masks in
                try target.setMask(
                    place, UnsafeBufferPointer(rebasing: masks[place * maskSize..<(place + 1) * maskSize]))
            }
            target.set(
                place, label: batch.labels[place], index: batch.indices[place],
                isAnnotated: batch.annotated[place])
        }
        return RR_OK
    }
}

@c @implementation
public func rr_batch_close(_ batch: OpaquePointer?) { Handle<OpenBatch>.close(batch) }
