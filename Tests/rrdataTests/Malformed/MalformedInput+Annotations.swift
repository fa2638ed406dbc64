extension MalformedInput {
    private static func coco(
        _ name: String, _ bytes: SourceBytes, _ code: String = "bad-annotation", exit: Int32 = 65
    ) -> MalformedInput {
        MalformedInput(
            name, "import masks x.json --for d.h5 -o out.h5", ["x.json": bytes, "d.h5": smallDataset], exit,
            code)
    }

    /// Annotations for the image `a` of the small dataset, which has 5 rows of 4 pixels.
    private static func annotated(_ annotations: String) -> SourceBytes {
        .text(
            #"{"images":[{"id":1,"file_name":"a.png","height":5,"width":4}],"categories":[],"annotations":["#
                + annotations + "]}")
    }

    private static func segmented(_ segmentation: String) -> SourceBytes {
        annotated(#"{"id":7,"image_id":1,"category_id":1,"segmentation":"# + segmentation + "}")
    }

    private static func boxes(_ name: String, _ text: SourceBytes, _ exit: Int32 = 65, _ code: String)
        -> MalformedInput
    {
        MalformedInput(
            name, "import masks x.csv --for d.h5 -o out.h5", ["x.csv": text, "d.h5": smallDataset], exit, code
        )
    }

    /// COCO annotations, and tables of boxes.
    static let annotations: [MalformedInput] = [
        MalformedInput(
            "COCO that is cut", "info x.json", "x.json", annotated("").cut(to: -2), 65, "bad-annotation"),
        MalformedInput("JSON that is no COCO", "info x.json", "x.json", .text("{}"), 65, "bad-annotation"),
        MalformedInput(
            "JSON of brackets", "info x.json", "x.json",
            .text("{\"a\":" + String(repeating: "[", count: 200_000)), 65, "malformed"),
        coco("COCO that is cut", annotated("").cut(to: -1), "malformed"),
        coco("COCO with text behind", annotated("") + .text("{}"), "malformed"),
        coco("COCO of brackets", segmented(String(repeating: "[", count: 200_000)), "malformed"),
        coco("COCO without annotations", .text(#"{"images":[]}"#)),
        coco("COCO whose images are no list", .text(#"{"images":{},"annotations":[]}"#)),
        coco("COCO with images twice", .text(#"{"images":[],"images":[],"annotations":[]}"#)),
        coco("COCO image without an id", .text(#"{"images":[{"file_name":"a"}],"annotations":[]}"#)),
        coco("COCO image without a name", .text(#"{"images":[{"id":1}],"annotations":[]}"#)),
        coco(
            "COCO image without a size",
            annotated(#"{"image_id":1,"bbox":[0,0,1,1]}"#).replacing(#","height":5,"width":4"#, with: "")),
        coco(
            "COCO image of another size",
            annotated(#"{"image_id":1,"bbox":[0,0,1,1]}"#).replacing("\"height\":5", with: "\"height\":7"),
            "wrong-mask-size"),
        coco(
            "COCO image of 10⁹×10⁹",
            annotated(#"{"image_id":1,"bbox":[0,0,1,1]}"#).replacing(
                #""height":5,"width":4"#, with: #""height":1000000000,"width":1000000000"#), "wrong-mask-size"
        ),
        coco(
            "COCO of two images of one id",
            annotated("").replacing(
                "\"images\":[", with: #""images":[{"id":1,"file_name":"b.png","height":5,"width":4},"#)),
        coco(
            "COCO of no image of the dataset", annotated("").replacing("a.png", with: "z.png"),
            "unmatched-masks"),
        coco("COCO annotation without an image", annotated(#"{"id":7}"#)),
        coco("COCO annotation for an unknown image", annotated(#"{"id":7,"image_id":9,"bbox":[0,0,1,1]}"#)),
        coco("COCO box of three numbers", annotated(#"{"image_id":1,"bbox":[0,0,1]}"#)),
        coco("COCO box of negative width", annotated(#"{"image_id":1,"bbox":[0,0,-1,1]}"#)),
        coco("COCO box of 10³⁰⁰", annotated(#"{"image_id":1,"bbox":[0,0,1e300,1]}"#)),
        coco("COCO polygon of text", segmented(#"[["a","b","c"]]"#)),
        coco("COCO polygon of an odd number", segmented("[[0,0,1,1,2,2,3]]")),
        coco("COCO polygon of infinity", segmented("[[0,0,1,1,Infinity,2]]")),
        coco("COCO segmentation of a number", segmented("7")),
        coco("COCO runs of another size", segmented(#"{"size":[9,9],"counts":[81]}"#)),
        coco("COCO runs that are too many", segmented(#"{"size":[5,4],"counts":[0,21]}"#)),
        coco("COCO runs that are too few", segmented(#"{"size":[5,4],"counts":[19]}"#)),
        coco(
            "COCO runs that overflow",
            segmented(#"{"size":[5,4],"counts":[9000000000000000000,9000000000000000000]}"#)),
        coco("COCO runs that are negative", segmented(#"{"size":[5,4],"counts":[-1,21]}"#)),
        coco("COCO runs of text that is cut", segmented(#"{"size":[5,4],"counts":"o"}"#)),
        coco("COCO runs of other text", segmented(#"{"size":[5,4],"counts":"~~~"}"#)),
        coco("COCO without an area to filter by", annotated(#"{"image_id":1,"bbox":[0,0,1,1]}"#), min: 3),

        boxes("empty table of boxes", .text(""), 65, "malformed"),
        boxes("table of other columns", .text("file_name,label\na,1\n"), 65, "bad-annotation"),
        boxes("box of text", .text("id,x,y,width,height\na,left,0,1,1\n"), 65, "bad-annotation"),
        boxes("box of too few fields", .text("id,x,y,width,height\na,0,0,1\n"), 65, "malformed"),
        boxes("box of negative width", .text("id,x,y,width,height\na,0,0,-1,1\n"), 65, "bad-annotation"),
        boxes("box of no number", .text("id,x,y,width,height\na,inf,0,1,1\n"), 65, "bad-annotation"),
        boxes("boxes for nobody", .text("id,x,y,width,height\nz,0,0,1,1\n"), 65, "unmatched-masks"),
        boxes(
            "table with a quote that is not closed", .text("id,x,y,width,height\n\"a,0,0,1,1\n"), 65,
            "malformed"),
        boxes(
            "table of a record of 5 MB",
            .text("id,x,y,width,height\n\"" + String(repeating: "a", count: 5 << 20)), 65, "malformed"),
        boxes(
            "table of five million columns", .text(String(repeating: "a,", count: 5_000_000)), 65, "malformed"
        ),
        boxes(
            "table that is not UTF-8",
            .bytes(Array("id,x,y,width,height\n".utf8) + [0xFF, 0xFE, 0x2C, 0x30]), 65, "malformed"),
        boxes("table with a column twice", .text("id,x,x,y,width,height\na,0,0,0,1,1\n"), 65, "malformed"),
    ]

    private static func coco(_ name: String, _ bytes: SourceBytes, min area: Int) -> MalformedInput {
        MalformedInput(
            name, "import masks x.json --for d.h5 -o out.h5 --min-area \(area)",
            ["x.json": bytes, "d.h5": smallDataset], 65, "bad-annotation")
    }
}
