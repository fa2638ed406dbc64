internal import RRDatasets
internal import RRFormats
internal import RRTensor

extension MaskPlacement {
    /// How a sample's mask is turned: as the option says, unless only the other way gives the image's size.
    ///
    /// - Parameter own: the orientation that the mask's file gives.
    func turn(
        _ storage: PNGStorage, ofSample sample: Int, own: PNGOrientation,
        _ orientation: ImageFolderOptions.Orientation
    ) -> (own: PNGOrientation, applied: PNGOrientation) {
        let (wanted, other): (PNGOrientation, PNGOrientation) =
            orientation == .apply ? (own, .topLeft) : (.topLeft, own)
        func fits(_ orientation: PNGOrientation) -> Bool {
            let header = orientation.turned(storage.storedHeader)
            return self.fits(height: header.height, width: header.width, sample: sample)
        }
        return (own, !fits(wanted) && fits(other) ? other : wanted)
    }

    /// Turns a plane as it is stored, and writes it in the size of the images.
    func place(
        rows: UnsafeBufferPointer<UInt8>, _ storage: PNGStorage, turned orientation: PNGOrientation,
        into mask: UnsafeMutableBufferPointer<UInt8>
    ) {
        let plane = PNGHeader(
            width: storage.header.width, height: storage.header.height, channels: 1, bitDepth: 8)
        guard orientation != .topLeft else {
            return place(rows: rows, height: plane.height, width: plane.width, into: mask)
        }
        let target = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: rows.count)
        defer { target.deallocate() }
        orientation.turn(UnsafeRawBufferPointer(rows), of: plane, into: UnsafeMutableRawBufferPointer(target))
        let turned = orientation.turned(plane)
        place(rows: UnsafeBufferPointer(target), height: turned.height, width: turned.width, into: mask)
    }
}
