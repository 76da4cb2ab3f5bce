using System.Text.Json;

namespace Tunnel.App.Diagnostics.Profiles;

/// <summary>Writes a profile as JSON for speedscope: one sampled profile a thread, weighed by the last kind of value.</summary>
public static class SpeedscopeWriter
{
    /// <param name="profile">What to write.</param>
    /// <param name="program">What the window is titled.</param>
    public static byte[] Write(StackProfile profile, string program)
    {
        var output = new MemoryStream();
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteString("$schema", "https://www.speedscope.app/file-format-schema.json");
            json.WriteString("name", program);
            json.WriteString("exporter", "tunnel");
            WriteFrames(json, profile.Functions);
            json.WriteStartArray("profiles");
            foreach (IGrouping<string, StackSample> thread in profile.Samples.GroupBy(s => s.Thread ?? "").OrderByDescending(Weight))
                WriteThread(json, thread, profile.Kinds[^1].Unit);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return output.ToArray();
    }

    private static void WriteFrames(Utf8JsonWriter json, IReadOnlyList<string> functions)
    {
        json.WriteStartObject("shared");
        json.WriteStartArray("frames");
        foreach (string function in functions)
        {
            json.WriteStartObject();
            json.WriteString("name", function);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteThread(Utf8JsonWriter json, IGrouping<string, StackSample> thread, string unit)
    {
        json.WriteStartObject();
        json.WriteString("type", "sampled");
        json.WriteString("name", thread.Key);
        // The units that it knows, or none.
        json.WriteString("unit", unit is "nanoseconds" or "bytes" ? unit : "none");
        json.WriteNumber("startValue", 0);
        json.WriteNumber("endValue", Weight(thread));
        json.WriteStartArray("samples");
        foreach (StackSample sample in thread)
            WriteStack(json, sample.Frames);
        json.WriteEndArray();
        json.WriteStartArray("weights");
        foreach (StackSample sample in thread)
            json.WriteNumberValue(sample.Values[^1]);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The outermost first, unlike everywhere else.</summary>
    private static void WriteStack(Utf8JsonWriter json, int[] frames)
    {
        json.WriteStartArray();
        for (int i = frames.Length - 1; i >= 0; i--)
            json.WriteNumberValue(frames[i]);
        json.WriteEndArray();
    }

    private static long Weight(IEnumerable<StackSample> samples) => samples.Sum(s => s.Values[^1]);
}
