using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Tunnel.App.Diagnostics.Profiles;

namespace Tunnel.Ctl.Profiling;

/// <summary>The hottest methods of a profile, for a person or a program.</summary>
internal static class ProfileReport
{
    private const int Methods = 10;

    // Names of methods are full of characters that only HTML would mind.
    private static readonly JsonWriterOptions Readable = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="profile">The profile.</param>
    /// <param name="file">Where it was written.</param>
    /// <param name="output">Where the table goes.</param>
    public static void Print(StackProfile profile, string file, TextWriter output)
    {
        long all = Sum(profile);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{all / 1e9:0.00} s of processor time in {profile.Duration.TotalSeconds:0.0} s, written to {file}"));
        output.WriteLine();
        output.WriteLine("   self  total  method");
        foreach (HotMethod method in HotMethod.Hottest(profile, Methods))
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{Percent(method.Self, all),6:0.0}% {Percent(method.Total, all),5:0.0}%  {method.Name}"));
        }
    }

    /// <inheritdoc cref="Print"/>
    public static void PrintJson(StackProfile profile, string file, Stream output)
    {
        long all = Sum(profile);
        using var json = new Utf8JsonWriter(output, Readable);
        json.WriteStartObject();
        json.WriteString("file", file);
        json.WriteNumber("seconds", Math.Round(profile.Duration.TotalSeconds, 3));
        json.WriteNumber("cpu_seconds", Math.Round(all / 1e9, 3));
        json.WriteStartArray("methods");
        foreach (HotMethod method in HotMethod.Hottest(profile, Methods))
        {
            json.WriteStartObject();
            json.WriteString("name", method.Name);
            json.WriteNumber("self_percent", Math.Round(Percent(method.Self, all), 2));
            json.WriteNumber("total_percent", Math.Round(Percent(method.Total, all), 2));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        output.Write("\n"u8);
    }

    private static long Sum(StackProfile profile) => profile.Samples.Sum(s => s.Values[^1]);

    private static double Percent(long part, long all) => all == 0 ? 0 : 100.0 * part / all;
}
